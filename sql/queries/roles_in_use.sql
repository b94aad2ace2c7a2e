SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 2 FROM pg_catalog.pg_roles
WHERE rolname OPERATOR(pg_catalog.=) ANY (ARRAY['pgencoder_reader', 'pgencoder_worker'])
    AND pg_catalog.has_schema_privilege(oid, 'pgencoder', 'USAGE')
