-- The JSON type of each column. A user may define a cast of his type to json, and it must not run with the rights of the
-- role that searches: values of such types are texts. A domain counts as its base type, as in to_jsonb.
WITH RECURSIVE typed AS (
    SELECT a.attname, a.attnum, a.atttypid AS type
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
    WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.text AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.text
        AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
    UNION ALL
    SELECT typed.attname, typed.attnum, t.typbasetype
    FROM typed JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) typed.type
    WHERE t.typtype OPERATOR(pg_catalog.=) 'd'
)
SELECT typed.attname::pg_catalog.text, CASE
    WHEN t.oid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.json', 'pg_catalog.jsonb']::pg_catalog.regtype[])
        THEN t.typname::pg_catalog.text
    WHEN t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace THEN 'own'
    ELSE 'other'
END
FROM typed JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) typed.type
WHERE t.typtype OPERATOR(pg_catalog.<>) 'd'
ORDER BY typed.attnum
