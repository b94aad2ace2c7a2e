-- Uses the dependency of the passages' policy on the table: a dump and a restore keep it, and a DROP TABLE removes it
CREATE OR REPLACE FUNCTION pgencoder._attached_table(passages pg_catalog.oid) RETURNS pg_catalog.oid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT d.refobjid FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_depend d
            ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass::pg_catalog.oid
            AND d.objid OPERATOR(pg_catalog.=) p.oid
            AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
            AND d.refobjid OPERATOR(pg_catalog.<>) p.polrelid
        WHERE p.polrelid OPERATOR(pg_catalog.=) passages
            AND p.polname::pg_catalog.text OPERATOR(pg_catalog.^@) 'pgencoder detach '
        LIMIT 1
    );
END
$$;
COMMENT ON FUNCTION pgencoder._attached_table(pg_catalog.oid) IS
    'The table that a passages table was made for, even if it is renamed; NULL if it was dropped';
