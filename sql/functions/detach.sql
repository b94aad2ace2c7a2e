CREATE OR REPLACE FUNCTION pgencoder.detach(name pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    numbers int[];
    each int;
    key_types pg_catalog.text;
    key_arrays pg_catalog.text;
    vector pg_catalog.regnamespace;
BEGIN
    PERFORM FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) detach.name ORDER BY g.number FOR UPDATE;
    SELECT pg_catalog.array_agg(g.number ORDER BY g.number) INTO numbers
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) detach.name;
    IF numbers IS NULL THEN
        RAISE EXCEPTION 'no collection %', pg_catalog.quote_literal(detach.name) USING ERRCODE = 'undefined_object';
    END IF;
    SELECT pg_catalog.string_agg(k.type, ', ' ORDER BY k.position),
        pg_catalog.string_agg('pg_catalog.text[]', ', ') INTO key_types, key_arrays
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) detach.name;
    SELECT e.extnamespace INTO vector FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'vector';
    -- this drops the triggers too
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I() CASCADE', detach.name OPERATOR(pg_catalog.||) '_changed');
    EXECUTE pg_catalog.format('DROP VIEW IF EXISTS pgencoder.%I, pgencoder.%I, pgencoder.%I',
        detach.name OPERATOR(pg_catalog.||) '_passages', detach.name OPERATOR(pg_catalog.||) '_by_lexical',
        detach.name OPERATOR(pg_catalog.||) '_by_sparse');
    FOREACH each IN ARRAY numbers LOOP
        PERFORM pgencoder._drop_generation(detach.name, each);
    END LOOP;
    -- with the arguments, because other functions may have the same name
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I(), pgencoder.%I(), pgencoder.%I(pg_catalog.text),'
        ' pgencoder.%I(pg_catalog.text[], int, boolean)',
        detach.name OPERATOR(pg_catalog.||) '_active', detach.name OPERATOR(pg_catalog.||) '_rows',
        detach.name OPERATOR(pg_catalog.||) '_lexical', detach.name OPERATOR(pg_catalog.||) '_scan');
    EXECUTE pg_catalog.format(
        'DROP FUNCTION IF EXISTS pgencoder.%I(%s, bigint), pgencoder.%I(%s, pg_catalog.bytea)',
        detach.name OPERATOR(pg_catalog.||) '_read', key_arrays,
        detach.name OPERATOR(pg_catalog.||) '_visible', key_types);
    IF vector IS NOT NULL THEN  -- without pgvector, functions with arguments of its types are gone
        EXECUTE pg_catalog.format(
            'DROP FUNCTION IF EXISTS pgencoder.%1$I(%3$s.halfvec, %3$s.halfvec[], int, int, pg_catalog.text, pg_catalog.text,'
            ' pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, double precision,'
            ' %3$s.sparsevec), pgencoder.%2$I(%3$s.sparsevec)',
            detach.name OPERATOR(pg_catalog.||) '_search', detach.name OPERATOR(pg_catalog.||) '_sparse', vector);
    END IF;
    DELETE FROM pgencoder.late l WHERE l.collection OPERATOR(pg_catalog.=) detach.name;
    DELETE FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) detach.name;
END
$$;
COMMENT ON FUNCTION pgencoder.detach(pg_catalog.text) IS
    'Removes a collection and everything that was made for it; the source table keeps its rows';
