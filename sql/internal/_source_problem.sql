-- Looks names up in the catalogues instead of with to_regclass(): a worker may lack USAGE on the schema of the table.
CREATE OR REPLACE FUNCTION pgencoder._source_problem(collection pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_catalog.record;
    each pg_catalog.record;
    source pg_catalog.text;
    named pg_catalog.oid;
    attached pg_catalog.oid;
    was pg_catalog.text;
    what pg_catalog.text;
    repair CONSTANT pg_catalog.text := pg_catalog.concat('; run: pgencoder repair ', collection);
    detach CONSTANT pg_catalog.text := pg_catalog.concat('pgencoder detach ', collection);
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) _source_problem.collection;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'vector') THEN
        RETURN 'its vectors went with the extension vector, which this database has lost; run: pgencoder migrate';
    END IF;
    source := pg_catalog.format('%I.%I', known.source_schema, known.source_table);
    SELECT c.oid INTO named
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) known.source_schema AND c.relname OPERATOR(pg_catalog.=) known.source_table
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]);
    FOR each IN
        SELECT g.number, pg_catalog.concat(g.collection, '_', g.number) AS name, (
            SELECT c.oid FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND c.relname OPERATOR(pg_catalog.=) pg_catalog.concat(g.collection, '_', g.number)
        ) AS passages
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) known.name
        ORDER BY (g.state OPERATOR(pg_catalog.=) 'active') DESC, g.number
    LOOP
        attached := pgencoder._attached_table(each.passages);
        IF named IS NULL AND attached IS NULL THEN
            RETURN pg_catalog.format('its table %s is gone; bring it back and run: pgencoder repair %s; or: %s',
                source, known.name, detach);
        ELSIF named IS NULL THEN
            RETURN pg_catalog.format('its table %s is called %s now; rename it back; or: %s',
                source, attached::pg_catalog.regclass, detach);
        ELSIF attached IS NULL THEN
            RETURN pg_catalog.format('its table %s was dropped and made again, or generation %s has lost its policy%s',
                source, each.number, repair);
        ELSIF attached OPERATOR(pg_catalog.<>) named THEN
            RETURN pg_catalog.format('its table %s is not the one that was attached, which is called %s%s',
                source, attached::pg_catalog.regclass, repair);
        END IF;
        what := pgencoder._missing_parts(known.name, each.number, each.passages);
        IF what IS NOT NULL THEN
            RETURN pg_catalog.format('it has lost %s%s', what, repair);
        END IF;
    END LOOP;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') INTO what FROM pg_catalog.unnest(known.columns) AS c
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) named
                AND a.attname OPERATOR(pg_catalog.=) c AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
        );
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('its table %s has no column %s any more; bring it back, or detach the collection and attach'
            ' it with other columns: %s', source, what, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.source), ', ' ORDER BY k.position) INTO was
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) known.name;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k;
    IF (what OPERATOR(pg_catalog.=) was) IS NOT TRUE THEN
        RETURN pg_catalog.format('the primary key of %s is (%s), not (%s); detach the collection and attach it again: %s',
            source, what, was, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(k.name), ' ', k.type), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k WHERE NOT k.usable;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('the key column %s of %s is of a type that cannot be a key; change that, or: %s',
            what, source, detach);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' COLLATE ', k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) ''
            THEN k.collate_as END), ', ' ORDER BY k.position) INTO was
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) known.name;
    SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' COLLATE ', k.type, CASE WHEN k.collate_as OPERATOR(pg_catalog.<>) ''
            THEN k.collate_as END), ', ' ORDER BY k.n) INTO what
        FROM pgencoder._source_key(named) k;
    IF what OPERATOR(pg_catalog.<>) was THEN
        RETURN pg_catalog.format('the key of %s is of type %s now, not %s%s', source, what, was, repair);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pgencoder._source_problem(pg_catalog.text) IS
    'The reason why a collection cannot be encoded: its table is gone or replaced, or parts of it are missing; else NULL';
