SELECT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.extname OPERATOR(pg_catalog.=) 'vector'
    JOIN pg_catalog.pg_depend m ON m.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND m.refobjid OPERATOR(pg_catalog.=) e.oid AND m.deptype OPERATOR(pg_catalog.=) 'e'
    WHERE d.refclassid OPERATOR(pg_catalog.=) m.classid AND d.refobjid OPERATOR(pg_catalog.=) m.objid
        AND d.deptype OPERATOR(pg_catalog.=) 'n'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend x
            WHERE x.classid OPERATOR(pg_catalog.=) d.classid AND x.objid OPERATOR(pg_catalog.=) d.objid
                AND x.refclassid OPERATOR(pg_catalog.=) m.refclassid AND x.refobjid OPERATOR(pg_catalog.=) e.oid
                AND x.deptype OPERATOR(pg_catalog.=) 'e'
        )
        AND d.classid OPERATOR(pg_catalog.=)
            ANY (ARRAY['pg_catalog.pg_class', 'pg_catalog.pg_proc']::pg_catalog.regclass[])
)
