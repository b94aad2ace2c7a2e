SELECT (pg_catalog.obj_description(c.oid, 'pg_class') OPERATOR(pg_catalog.=) $3) IS TRUE
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) $2
