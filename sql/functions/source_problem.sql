-- Reads the catalogues by names, never through to_regclass(): a worker need not have USAGE on the schema of the table.
CREATE OR REPLACE FUNCTION pgencoder.source_problem(collection text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_catalog.record;
    each pg_catalog.record;
    source text;
    named oid;
    attached oid;
    passages oid;
    what text;
    expected text;
    repair CONSTANT text := '; run: pgencoder repair ' || collection;
    detach CONSTANT text := '; or: pgencoder detach ' || collection;
    again CONSTANT text := '; detach the collection and attach it again: pgencoder detach ' || collection;
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name = source_problem.collection;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        RETURN 'its vectors went with the extension vector, which this database has lost; run: pgencoder migrate';
    END IF;
    source := format('%I.%I', known.source_schema, known.source_table);
    SELECT c.oid INTO named FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = known.source_schema AND c.relname = known.source_table AND c.relkind IN ('r', 'p');
    FOR each IN
        SELECT * FROM pgencoder.generation g WHERE g.collection = known.name ORDER BY g.state <> 'active', g.number
    LOOP
        SELECT c.oid INTO passages FROM pg_class c
            WHERE c.relnamespace = 'pgencoder'::regnamespace AND c.relname = known.name || '_' || each.number;
        attached := pgencoder.attached_table(passages);
        IF named IS NULL AND attached IS NULL THEN
            RETURN format('its table %s is gone; bring it back and%s', source, ltrim(repair, ';')) || detach;
        ELSIF named IS NULL THEN
            RETURN format('its table %s is called %s now; rename it back', source, attached::regclass) || detach;
        ELSIF attached IS NULL THEN
            RETURN format('its table %s was dropped and made again, or generation %s has lost its policy', source,
                each.number) || repair;
        ELSIF attached <> named THEN
            RETURN format('its table %s is not the one that was attached, which is called %s', source,
                attached::regclass) || repair;
        END IF;
        SELECT string_agg(part, ', ') INTO what FROM (
            SELECT 'the table ' || t FROM unnest(ARRAY[known.name || '_' || each.number,
                known.name || '_' || each.number || '_queue']) AS t
            WHERE NOT EXISTS (SELECT FROM pg_class c
                WHERE c.relnamespace = 'pgencoder'::regnamespace AND c.relname = t AND c.relkind = 'r')
            UNION ALL
            SELECT 'the view ' || t FROM unnest(ARRAY[known.name || '_' || each.number || '_write']) AS t
            WHERE NOT EXISTS (SELECT FROM pg_class c
                WHERE c.relnamespace = 'pgencoder'::regnamespace AND c.relname = t AND c.relkind = 'v')
            UNION ALL
            SELECT format('the column %s of %s_%s', a, known.name, each.number)
            FROM unnest(ARRAY['passage', 'span', 'content', 'content_hash', 'truncated', 'dense', 'tokens', 'row_hash']
                || ARRAY(SELECT k.name FROM pgencoder.collection_key k WHERE k.collection = known.name)) AS a
            WHERE passages IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute p
                WHERE p.attrelid = passages AND p.attname = a AND NOT p.attisdropped)
            UNION ALL
            SELECT 'the function ' || f FROM unnest(ARRAY[known.name || '_changed', known.name || '_read',
                known.name || '_scan', known.name || '_visible', known.name || '_rows',
                known.name || '_' || each.number || '_write', known.name || '_' || each.number || '_build']) AS f
            WHERE NOT EXISTS (SELECT FROM pg_proc p
                WHERE p.pronamespace = 'pgencoder'::regnamespace AND p.proname = f)
            UNION ALL
            SELECT format('row level security of %s_%s', known.name, each.number) FROM pg_class c
            WHERE c.oid = passages AND NOT c.relrowsecurity
        ) AS missing (part);
        IF what IS NOT NULL THEN
            RETURN format('it has lost %s', what) || repair;
        END IF;
    END LOOP;
    SELECT string_agg(quote_ident(c), ', ') INTO what FROM unnest(known.columns) AS c
        WHERE NOT EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = named AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped);
    IF what IS NOT NULL THEN
        RETURN format('its table %s has no column %s any more; bring it back, or attach other columns', source, what)
            || again;
    END IF;
    SELECT string_agg(quote_ident(k.source), ', ' ORDER BY k.position),
        string_agg(k.type || ' ' || k.collate_as, ', ' ORDER BY k.position) INTO what, expected
        FROM pgencoder.collection_key k WHERE k.collection = known.name;
    IF what IS DISTINCT FROM (SELECT string_agg(quote_ident(k.name), ', ' ORDER BY k.n) FROM pgencoder.source_key(named) k)
    THEN
        RETURN format('the primary key of %s is (%s), not (%s)', source,
            (SELECT string_agg(quote_ident(k.name), ', ' ORDER BY k.n) FROM pgencoder.source_key(named) k), what) || again;
    END IF;
    SELECT string_agg(quote_ident(k.name) || ' ' || k.type, ', ' ORDER BY k.n) INTO what
        FROM pgencoder.source_key(named) k WHERE NOT k.usable;
    IF what IS NOT NULL THEN
        RETURN format('the key column %s of %s is of a type that cannot be a key', what, source) || again;
    END IF;
    SELECT string_agg(k.type || ' ' || k.collate_as, ', ' ORDER BY k.n) INTO what FROM pgencoder.source_key(named) k;
    IF what <> expected THEN
        RETURN format('the key of %s is of type %s now, not %s', source, rtrim(what), rtrim(expected)) || repair;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pgencoder.source_problem(text) IS
    'Why a collection cannot be encoded: its table is gone or another one, or what was made for it is incomplete; else NULL';
