SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace
WHERE nspname OPERATOR(pg_catalog.=) 'pgencoder'
