SELECT pg_catalog.set_config('role', r.rolname, true)
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder' AND r.rolname OPERATOR(pg_catalog.<>) current_user
