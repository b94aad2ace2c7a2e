-- For a superuser, before anything that another role may have made is named: divides by zero where the schema pgencoder is of
-- a role that is no superuser, or where another relation has the name of the source. What follows is then not even parsed.
SELECT 1 OPERATOR(pg_catalog./) CASE WHEN EXISTS (
        SELECT FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) n.nspowner AND NOT owner.rolsuper
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder'
            AND (SELECT me.rolsuper FROM pg_catalog.pg_roles me WHERE me.rolname OPERATOR(pg_catalog.=) session_user)
    ) THEN 0
    -- as pgencoder._attached_table finds it, which a plan would already run
    WHEN EXISTS (
        SELECT FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
        JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) c.oid
            AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
            AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass::pg_catalog.oid
        JOIN pg_catalog.pg_policy p ON p.oid OPERATOR(pg_catalog.=) d.objid
            AND p.polrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($3)
            AND p.polname::pg_catalog.text OPERATOR(pg_catalog.^@) 'pgencoder detach '
        WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) $2
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
    ) THEN 1 ELSE 0 END
