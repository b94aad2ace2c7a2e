DECLARE
    path CONSTANT text := current_setting('search_path');
    revision text;
    key text;
    given text;
    types text[];
    collations text[];
    script text := {script};
BEGIN
    IF to_regclass('pgencoder.revision') IS NOT NULL THEN
        SELECT version_num INTO revision FROM pgencoder.revision;
    END IF;
    IF revision IS DISTINCT FROM {head} THEN
        RAISE EXCEPTION 'this database has no schema pgencoder at revision %', {head} USING HINT = 'Run: pgencoder migrate';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector' AND extnamespace = to_regnamespace({vector_name})) THEN
        RAISE EXCEPTION 'the extension vector is not in the schema %', {vector_name}
            USING HINT = 'In env.py: context.configure(..., pgencoder_vector_schema="...")';
    END IF;
    -- "int" or "color" is given as people write it: only a column shows which type that is, and how the server spells it
    CREATE TABLE pgencoder.key_as_given ({given});
    PERFORM set_config('search_path', 'pg_catalog', true);
    SELECT
        string_agg(format('%I %s', name, type) || coalesce(' COLLATE ' || collate_as, ''), ', ' ORDER BY n) FILTER (WHERE own),
        string_agg(format('%I %s', name, type) || coalesce(' COLLATE ' || collate_as, ''), ', ' ORDER BY n) FILTER (WHERE NOT own),
        array_agg(type ORDER BY n) FILTER (WHERE own), array_agg(collate_as ORDER BY n) FILTER (WHERE own)
    INTO key, given, types, collations
    FROM (
        SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, k.n, k.own,
            CASE WHEN a.attcollation <> t.typcollation
                THEN format('%I.%I', s.nspname, c.collname) END AS collate_as
        FROM (
            SELECT i.indrelid, u.attnum, u.n, true
            FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, n)
            WHERE i.indrelid = {source_name}::regclass AND i.indisprimary AND u.n <= i.indnkeyatts
            UNION ALL
            SELECT attrelid, attnum, attnum, false FROM pg_attribute
            WHERE attrelid = 'pgencoder.key_as_given'::regclass AND attnum > 0
        ) AS k (relation, attnum, n, own)
        JOIN pg_attribute a ON a.attrelid = k.relation AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_collation c ON c.oid = a.attcollation LEFT JOIN pg_namespace s ON s.oid = c.collnamespace
    ) AS columns;
    PERFORM set_config('search_path', path, true);
    DROP TABLE pgencoder.key_as_given;
    IF key IS DISTINCT FROM given THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', {source_name}, key, given
            USING HINT = 'Give its columns and types as key={{...}} to the operation.';
    END IF;
    IF array_to_string(types || collations, ' ') ~ '[''\\$]' THEN
        RAISE EXCEPTION 'the key of % is (%), whose types no script can name', {source_name}, key
            USING HINT = 'Run this revision without --sql.';
    END IF;
    FOR n IN 1 .. cardinality(types) LOOP
        script := replace(script, format('%s_%s_type', {marker}, n), types[n]);
        script := replace(script, format('%s_%s_collation', {marker}, n), coalesce(collations[n], 'pg_catalog."default"'));
    END LOOP;
    EXECUTE script;
END
