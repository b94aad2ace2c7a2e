SELECT pg_catalog.set_config('role', r.rolname, true)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({passages_name})
    AND r.rolname OPERATOR(pg_catalog.<>) current_user
