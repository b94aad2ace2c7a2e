-- Domains count as their base type: a CHECK of one is code of the table's owner, and would run as whoever writes a key.
-- Enums are the only types of users that run none, as long as nothing casts them: what they compare, read and print with
-- is Postgres' own. What reads a superuser's table casts them as that superuser.
CREATE OR REPLACE FUNCTION pgencoder.source_key(source oid)
RETURNS TABLE (n int, name text, type text, collate_as text, usable boolean)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 2 SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE key (n, name, type, typmod, collation_, class) AS (
        SELECT k.n::int, a.attname::text, a.atttypid, a.atttypmod, a.attcollation, (i.indclass::oid[])[k.n - 1]
        FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = source AND i.indisprimary AND k.n <= i.indnkeyatts
        UNION ALL
        SELECT key.n, key.name, t.typbasetype, t.typtypmod, key.collation_, key.class
        FROM key JOIN pg_type t ON t.oid = key.type AND t.typtype = 'd'
    )
    SELECT key.n, key.name, format_type(key.type, key.typmod),
        CASE WHEN key.collation_ <> t.typcollation THEN format('%I.%I', cn.nspname, c.collname) ELSE '' END,
        (t.typtype IN ('b', 'r', 'm') AND t.typnamespace = 'pg_catalog'::regnamespace OR t.typtype = 'e' AND (
            SELECT NOT source.rolsuper OR enum.rolsuper FROM pg_roles source, pg_roles enum
            WHERE enum.oid = t.typowner AND source.oid = (SELECT c.relowner FROM pg_class c WHERE c.oid = source_key.source)
        ))
        AND t.typsend <> 0 AND EXISTS (
            SELECT FROM pg_opclass oc JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily
                AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype AND ao.amopstrategy = 3
            JOIN pg_operator o ON o.oid = ao.amopopr
            WHERE oc.oid = key.class AND o.oprnamespace = 'pg_catalog'::regnamespace
        )
    FROM key JOIN pg_type t ON t.oid = key.type AND t.typtype <> 'd'
    LEFT JOIN pg_collation c ON c.oid = key.collation_ LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
    ORDER BY key.n
$$;
COMMENT ON FUNCTION pgencoder.source_key(oid) IS
    'The primary key of a table as passages have it: names, types without domains, collations that are not the type''s own,'
    ' and whether such a type can be a key';
