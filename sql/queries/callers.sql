-- The roles that may call a function, quoted, and true for those that may grant it
SELECT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, a.is_grantable
FROM pg_catalog.pg_proc p,
    pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure({signature})
    AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
