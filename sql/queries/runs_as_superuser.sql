SELECT 1
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.proowner,
    pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) c.relowner
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(%s) AND r.rolsuper AND NOT o.rolsuper
    AND EXISTS (
        SELECT FROM pg_catalog.pg_trigger t
        WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid AND t.tgfoid OPERATOR(pg_catalog.=) p.oid
    )
LIMIT 1
