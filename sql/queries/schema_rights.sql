SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), current_user,
    pg_catalog.current_database(),
    (
        SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace
        WHERE nspname OPERATOR(pg_catalog.=) 'pgencoder'
    )
