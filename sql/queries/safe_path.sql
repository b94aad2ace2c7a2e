-- Sets the search path to pg_catalog and those schemas of the present path where only superusers, the database's owner and
-- this role may create. This statement names every schema, because the present path may still be unsafe.
SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', 'pg_catalog', (
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(path.name), ', ' ORDER BY path.place)
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (name, place)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) path.name
    WHERE n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AND n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema()
      AND NOT EXISTS (
        SELECT FROM (
            SELECT n.nspowner AS maker
            UNION ALL
            SELECT a.grantee
            FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
            WHERE a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
        ) AS makers
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) makers.maker
        LEFT JOIN pg_catalog.pg_database AS d
            ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND d.datdba OPERATOR(pg_catalog.=) r.oid
        WHERE (r.rolsuper OR d.oid IS NOT NULL OR r.rolname OPERATOR(pg_catalog.=) current_user
            OR r.rolname OPERATOR(pg_catalog.=) 'pg_database_owner') IS NOT TRUE
    )
), 'pg_temp'), {local}),
    -- a search of a large table would be compiled each time, for a second
    pg_catalog.set_config('jit', 'off', {local})
WHERE {wanted}
