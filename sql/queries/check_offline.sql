DECLARE
    path CONSTANT text := current_setting('search_path');
    revision text;
    key text;
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
    PERFORM set_config('search_path', 'pg_catalog', true);
    SELECT string_agg(
        format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)) || CASE WHEN a.attcollation <> t.typcollation
            THEN format(' COLLATE %I.%I', c.collnamespace::regnamespace, c.collname) ELSE '' END, ', ' ORDER BY k.n
    ) INTO key
    FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation c ON c.oid = a.attcollation
    WHERE i.indrelid = {source_name}::regclass AND i.indisprimary AND k.n <= i.indnkeyatts;
    PERFORM set_config('search_path', path, true);
    IF key IS DISTINCT FROM {expected} THEN
        RAISE EXCEPTION 'the key of % is (%), not (%)', {source_name}, key, {expected}
            USING HINT = 'Give its columns and types as key={{...}} to the operation.';
    END IF;
END
