SELECT e.extversion, a.default_version, coalesce(pg_catalog.pg_has_role(e.extowner, 'USAGE'), true)
FROM (VALUES (%(name)s)) AS wanted (name)
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname OPERATOR(pg_catalog.=) wanted.name
LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name OPERATOR(pg_catalog.=) wanted.name
