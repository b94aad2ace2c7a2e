-- Sets each format that would change keys, which travel as text
SELECT pg_catalog.set_config(name, value, false)
FROM (VALUES
    ('datestyle', 'ISO, YMD', 'ISO%'),
    ('intervalstyle', 'postgres', 'postgres'),
    ('extra_float_digits', '1', '1')
) AS setting (name, value, accepted)
WHERE pg_catalog.current_setting(name) OPERATOR(pg_catalog.!~~) accepted
