-- Reads the catalogues by names, never through to_regclass(): a worker need not have USAGE on the schema of the table.
CREATE OR REPLACE FUNCTION pgencoder.source_problem(collection pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_catalog.record;
    each pg_catalog.record;
    source pg_catalog.text;
    named pg_catalog.oid;
    attached pg_catalog.oid;
    passages pg_catalog.oid;
    what pg_catalog.text;
    expected pg_catalog.text;
    repair CONSTANT pg_catalog.text := '; run: pgencoder repair ' OPERATOR(pg_catalog.||) collection;
    detach CONSTANT pg_catalog.text := '; or: pgencoder detach ' OPERATOR(pg_catalog.||) collection;
    again CONSTANT pg_catalog.text := '; detach the collection and attach it again: pgencoder detach '
        OPERATOR(pg_catalog.||) collection;
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) source_problem.collection;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'vector') THEN
        RETURN 'its vectors went with the extension vector, which this database has lost; run: pgencoder migrate';
    END IF;
    source := pg_catalog.format('%I.%I', known.source_schema, known.source_table);
    SELECT c.oid INTO named FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) known.source_schema AND c.relname OPERATOR(pg_catalog.=) known.source_table
            AND c.relkind IN ('r', 'p');
    FOR each IN
        SELECT * FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) known.name
            ORDER BY g.state OPERATOR(pg_catalog.<>) 'active', g.number
    LOOP
        SELECT c.oid INTO passages FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND c.relname OPERATOR(pg_catalog.=) (known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||)
                    each.number);
        attached := pgencoder.attached_table(passages);
        IF named IS NULL AND attached IS NULL THEN
            RETURN pg_catalog.format('its table %s is gone; bring it back and%s', source, pg_catalog.ltrim(repair, ';'))
                OPERATOR(pg_catalog.||) detach;
        ELSIF named IS NULL THEN
            RETURN pg_catalog.format('its table %s is called %s now; rename it back', source,
                attached::pg_catalog.regclass) OPERATOR(pg_catalog.||) detach;
        ELSIF attached IS NULL THEN
            RETURN pg_catalog.format('its table %s was dropped and made again, or generation %s has lost its policy', source,
                each.number) OPERATOR(pg_catalog.||) repair;
        ELSIF attached OPERATOR(pg_catalog.<>) named THEN
            RETURN pg_catalog.format('its table %s is not the one that was attached, which is called %s', source,
                attached::pg_catalog.regclass) OPERATOR(pg_catalog.||) repair;
        END IF;
        SELECT pg_catalog.string_agg(part, ', ') INTO what FROM (
            SELECT 'the table ' OPERATOR(pg_catalog.||) t
                FROM pg_catalog.unnest(ARRAY[known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number,
                known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number OPERATOR(pg_catalog.||)
                    '_queue']) AS t
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                    AND c.relname OPERATOR(pg_catalog.=) t AND c.relkind OPERATOR(pg_catalog.=) 'r')
            UNION ALL
            SELECT 'the view ' OPERATOR(pg_catalog.||) t
                FROM pg_catalog.unnest(ARRAY[known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number
                    OPERATOR(pg_catalog.||) '_write']) AS t
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                    AND c.relname OPERATOR(pg_catalog.=) t AND c.relkind OPERATOR(pg_catalog.=) 'v')
            UNION ALL
            SELECT pg_catalog.format('the column %s of %s_%s', a, known.name, each.number)
            FROM pg_catalog.unnest(ARRAY['passage', 'span', 'content', 'content_hash', 'truncated', 'dense', 'tokens',
                'row_hash']
                OPERATOR(pg_catalog.||) ARRAY(SELECT k.name FROM pgencoder.collection_key k
                    WHERE k.collection OPERATOR(pg_catalog.=) known.name)) AS a
            WHERE passages IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute p
                WHERE p.attrelid OPERATOR(pg_catalog.=) passages AND p.attname OPERATOR(pg_catalog.=) a
                    AND NOT p.attisdropped)
            UNION ALL
            SELECT 'the function ' OPERATOR(pg_catalog.||) f
                FROM pg_catalog.unnest(ARRAY[known.name OPERATOR(pg_catalog.||) '_changed', known.name
                    OPERATOR(pg_catalog.||) '_read',
                known.name OPERATOR(pg_catalog.||) '_scan', known.name OPERATOR(pg_catalog.||) '_visible', known.name
                    OPERATOR(pg_catalog.||) '_rows',
                known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number OPERATOR(pg_catalog.||)
                    '_write', known.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number
                        OPERATOR(pg_catalog.||) '_build']) AS f
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
                WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                    AND p.proname OPERATOR(pg_catalog.=) f)
            UNION ALL
            SELECT pg_catalog.format('row level security of %s_%s', known.name, each.number) FROM pg_catalog.pg_class c
            WHERE c.oid OPERATOR(pg_catalog.=) passages AND NOT c.relrowsecurity
        ) AS missing (part);
        IF what IS NOT NULL THEN
            RETURN pg_catalog.format('it has lost %s', what) OPERATOR(pg_catalog.||) repair;
        END IF;
    END LOOP;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') INTO what FROM pg_catalog.unnest(known.columns) AS c
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid OPERATOR(pg_catalog.=) named AND a.attname OPERATOR(pg_catalog.=) c
                AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped);
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('its table %s has no column %s any more; bring it back, or attach other columns', source,
            what)
            OPERATOR(pg_catalog.||) again;
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.source), ', ' ORDER BY k.position),
        pg_catalog.string_agg(k.type OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) k.collate_as, ', '
            ORDER BY k.position) INTO what, expected
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) known.name;
    IF what IS DISTINCT FROM (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.n)
        FROM pgencoder.source_key(named) k)
    THEN
        RETURN pg_catalog.format('the primary key of %s is (%s), not (%s)', source,
            (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name), ', ' ORDER BY k.n)
                FROM pgencoder.source_key(named) k), what) OPERATOR(pg_catalog.||) again;
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(k.name) OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||)
        k.type, ', ' ORDER BY k.n) INTO what
        FROM pgencoder.source_key(named) k WHERE NOT k.usable;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('the key column %s of %s is of a type that cannot be a key', what, source)
            OPERATOR(pg_catalog.||) again;
    END IF;
    SELECT pg_catalog.string_agg(k.type OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) k.collate_as, ', '
        ORDER BY k.n) INTO what FROM pgencoder.source_key(named) k;
    IF what OPERATOR(pg_catalog.<>) expected THEN
        RETURN pg_catalog.format('the key of %s is of type %s now, not %s', source, pg_catalog.rtrim(what),
            pg_catalog.rtrim(expected)) OPERATOR(pg_catalog.||) repair;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pgencoder.source_problem(pg_catalog.text) IS
    'Why a collection cannot be encoded: its table is gone or another one, or what was made for it is incomplete; else NULL';
