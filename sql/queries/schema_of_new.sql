-- Finds a schema of the search path for a new table: the first where the role may create, else the first
SELECT found.name, found.may
FROM (
    SELECT path.name, path.place, pg_catalog.has_schema_privilege(path.name::pg_catalog.text, 'CREATE') AS may
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (name, place)
    WHERE path.name OPERATOR(pg_catalog.<>) 'pg_catalog'
) AS found
ORDER BY found.may DESC, found.place
LIMIT 1
