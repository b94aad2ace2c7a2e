SELECT owner.rolname, session_user
FROM pg_catalog.pg_namespace AS schema
CROSS JOIN LATERAL (
    SELECT schema.nspowner
    UNION ALL
    SELECT coalesce(relation.relowner, routine.proowner)
    FROM pg_catalog.pg_depend AS part
    LEFT JOIN pg_catalog.pg_class AS relation ON relation.oid OPERATOR(pg_catalog.=) part.objid
        AND part.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
    LEFT JOIN pg_catalog.pg_proc AS routine ON routine.oid OPERATOR(pg_catalog.=) part.objid
        AND part.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
    WHERE {parts} AND part.refobjid OPERATOR(pg_catalog.=) schema.oid
        AND part.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
) AS found (owner)
JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) found.owner AND NOT owner.rolsuper
WHERE schema.nspname OPERATOR(pg_catalog.=) 'pgencoder'
    -- not current_user: after SET ROLE, code can get a superuser's rights back with RESET ROLE
    AND (SELECT me.rolsuper FROM pg_catalog.pg_roles AS me WHERE me.rolname OPERATOR(pg_catalog.=) session_user)
LIMIT 1
