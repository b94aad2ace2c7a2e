-- The roles that may read the passages of the active generation, quoted
SELECT DISTINCT CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END
FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g
WHERE c.oid OPERATOR(pg_catalog.=) ANY (
        ARRAY[pg_catalog.to_regclass({view_name}), pg_catalog.to_regclass({passages_name})]::pg_catalog.oid[]
    )
    AND g.privilege_type OPERATOR(pg_catalog.=) 'SELECT' AND g.grantee OPERATOR(pg_catalog.<>) c.relowner
