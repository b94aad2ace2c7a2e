SELECT pg_catalog.pg_has_role(extowner, 'USAGE')
    AND pg_catalog.obj_description(oid, 'pg_extension') OPERATOR(pg_catalog.=) %(comment)s
FROM pg_catalog.pg_extension
WHERE extname OPERATOR(pg_catalog.=) %(name)s
