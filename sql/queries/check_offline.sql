DECLARE
    path CONSTANT pg_catalog.text := pg_catalog.current_setting('search_path');
    revision pg_catalog.text;
    key pg_catalog.text;
    given pg_catalog.text;
    types pg_catalog.text[];
    full_types pg_catalog.text[];
    collations pg_catalog.text[];
BEGIN
    IF pg_catalog.to_regclass('pgencoder.revision') IS NOT NULL THEN
        SELECT version_num INTO revision FROM pgencoder.revision;
    END IF;
    IF (revision OPERATOR(pg_catalog.=) {head}) IS NOT TRUE THEN
        RAISE EXCEPTION 'this database has no schema pgencoder at revision %', {head} USING HINT = 'Run: pgencoder migrate';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector'
            AND extnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace({vector_name})
    ) THEN
        RAISE EXCEPTION 'the extension vector is not in the schema %', {vector_name}
            USING HINT = 'In env.py: context.configure(..., pgencoder_vector_schema="...")';
    END IF;
    -- "int" or "color" is given as people write it: only a column shows which type that is, and how the server spells it
    CREATE TABLE pgencoder.key_as_given ({given});
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
    SELECT pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE own),
        pg_catalog.string_agg(spelled, ', ' ORDER BY n) FILTER (WHERE NOT own),
        pg_catalog.array_agg(type ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(CASE WHEN type OPERATOR(pg_catalog.~) {full_type} THEN type
            ELSE 'pg_catalog.' OPERATOR(pg_catalog.||) type END ORDER BY n) FILTER (WHERE own),
        pg_catalog.array_agg(collate_as ORDER BY n) FILTER (WHERE own)
    INTO key, given, types, full_types, collations
    FROM (
        SELECT k.n, k.own, s.type, s.collate_as,
            pg_catalog.format('%I %s', a.attname, s.type) OPERATOR(pg_catalog.||)
                coalesce(' COLLATE ' OPERATOR(pg_catalog.||) s.collate_as, '') AS spelled
        FROM (
            SELECT i.indrelid, u.attnum, u.n, true
            FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS u (attnum, n)
            WHERE i.indrelid OPERATOR(pg_catalog.=) {source_name}::pg_catalog.regclass AND i.indisprimary
                AND u.n OPERATOR(pg_catalog.<=) i.indnkeyatts
            UNION ALL
            SELECT attrelid, attnum, attnum, false FROM pg_catalog.pg_attribute
            WHERE attrelid OPERATOR(pg_catalog.=) 'pgencoder.key_as_given'::pg_catalog.regclass
                AND attnum OPERATOR(pg_catalog.>) 0
        ) AS k (relation, attnum, n, own)
        JOIN pg_catalog.pg_attribute a
            ON a.attrelid OPERATOR(pg_catalog.=) k.relation AND a.attnum OPERATOR(pg_catalog.=) k.attnum
        JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
        LEFT JOIN pg_catalog.pg_collation c ON c.oid OPERATOR(pg_catalog.=) a.attcollation
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.collnamespace
        CROSS JOIN LATERAL (
            SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
                CASE WHEN a.attcollation OPERATOR(pg_catalog.<>) t.typcollation
                    THEN pg_catalog.format('%I.%I', n.nspname, c.collname) END AS collate_as
        ) AS s
    ) AS columns;
    PERFORM pg_catalog.set_config('search_path', path, true);
    DROP TABLE pgencoder.key_as_given;
    IF (key OPERATOR(pg_catalog.=) given) IS NOT TRUE THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', {source_name}, key, given
            USING HINT = 'Give its columns and types as key={{...}} to the operation.';
    END IF;
    {then}
END
