-- A domain counts as its base type: its CHECK is code of the table's owner and would run with the rights of the writer of
-- a key. Enums are the only types of users that run no user's code, as long as nothing casts them: Postgres itself
-- compares, reads and prints them. For a superuser's table the casts run as that superuser.
CREATE OR REPLACE FUNCTION pgencoder._source_key(source pg_catalog.oid)
RETURNS TABLE (n int, name pg_catalog.text, type pg_catalog.text, collate_as pg_catalog.text, usable boolean)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 2 SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE key (n, name, type, typmod, sorted, class) AS (
        SELECT k.n::int, a.attname::pg_catalog.text, a.atttypid, a.atttypmod, a.attcollation,
            (i.indclass::pg_catalog.oid[])[k.n OPERATOR(pg_catalog.-) 1]
        FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
            AND a.attnum OPERATOR(pg_catalog.=) k.attnum
        WHERE i.indrelid OPERATOR(pg_catalog.=) source AND i.indisprimary AND k.n OPERATOR(pg_catalog.<=) i.indnkeyatts
        UNION ALL
        SELECT key.n, key.name, t.typbasetype, t.typtypmod, key.sorted, key.class
        FROM key JOIN pg_catalog.pg_type t
            ON t.oid OPERATOR(pg_catalog.=) key.type AND t.typtype OPERATOR(pg_catalog.=) 'd'
    ), owner (super) AS (
        SELECT r.rolsuper FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) source
    )
    SELECT key.n, key.name, pg_catalog.format_type(key.type, key.typmod),
        CASE WHEN key.sorted OPERATOR(pg_catalog.<>) t.typcollation THEN pg_catalog.format('%I.%I', cn.nspname, c.collname)
            ELSE '' END,
        CASE WHEN t.typtype OPERATOR(pg_catalog.=) 'e' THEN maker.rolsuper OR NOT (SELECT super FROM owner)
            ELSE t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['b', 'r', 'm']::pg_catalog."char"[])
                AND t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace END
        AND t.typsend::pg_catalog.oid OPERATOR(pg_catalog.<>) 0 AND EXISTS (
            SELECT FROM pg_catalog.pg_opclass oc JOIN pg_catalog.pg_amop ao
                ON ao.amopfamily OPERATOR(pg_catalog.=) oc.opcfamily AND ao.amoplefttype OPERATOR(pg_catalog.=) oc.opcintype
                AND ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype AND ao.amopstrategy OPERATOR(pg_catalog.=) 3
            JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) ao.amopopr
            WHERE oc.oid OPERATOR(pg_catalog.=) key.class
                AND o.oprnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
        )
    FROM key JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) key.type AND t.typtype OPERATOR(pg_catalog.<>) 'd'
    JOIN pg_catalog.pg_roles maker ON maker.oid OPERATOR(pg_catalog.=) t.typowner
    LEFT JOIN pg_catalog.pg_collation c ON c.oid OPERATOR(pg_catalog.=) key.sorted
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid OPERATOR(pg_catalog.=) c.collnamespace
    ORDER BY key.n
$$;
COMMENT ON FUNCTION pgencoder._source_key(pg_catalog.oid) IS
    'The primary key of a table as passages store it: names, types without domains, collations that differ from the'
    ' type''s, and true for a type that can be a key';
