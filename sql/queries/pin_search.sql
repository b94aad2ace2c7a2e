BEGIN
    -- The path has the schema of the source for the caller's filter, if only roles that the caller trusts may create in it
    EXECUTE pg_catalog.concat(
        'ALTER FUNCTION ', {signature}, ' SET search_path = pg_catalog, ',
        (
            SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) ', '
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE n.nspname OPERATOR(pg_catalog.=) {schema} AND c.relname OPERATOR(pg_catalog.=) {table}
                AND NOT EXISTS (
                    SELECT FROM (
                        SELECT n.nspowner
                        UNION ALL
                        SELECT a.grantee
                        FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
                        WHERE a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
                    ) AS makers (maker)
                    LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) maker
                    LEFT JOIN pg_catalog.pg_database d ON d.datdba OPERATOR(pg_catalog.=) maker
                        AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
                    WHERE (r.rolsuper OR d.oid IS NOT NULL OR r.rolname OPERATOR(pg_catalog.=) 'pg_database_owner'
                        OR (maker OPERATOR(pg_catalog.=) n.nspowner AND maker OPERATOR(pg_catalog.=) c.relowner))
                        IS NOT TRUE
                )
        ),
        'pg_temp'
    );
END
