CREATE OR REPLACE FUNCTION pgencoder._check_free(collection pg_catalog.text, generation int) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- those of indexes are of the representations, which are in the catalogue already
    indexes CONSTANT pg_catalog.text := coalesce((
        SELECT pg_catalog.string_agg('|' OPERATOR(pg_catalog.||) r.name, '' ORDER BY r.name)
        FROM pgencoder.representation r
        WHERE r.collection OPERATOR(pg_catalog.=) _check_free.collection AND r.indexed
            AND (_check_free.generation IS NULL OR r.generation OPERATOR(pg_catalog.=) _check_free.generation)
    ), '');
    suffix CONSTANT pg_catalog.text := CASE WHEN generation IS NULL
        THEN '^_({collection_kinds})$|^_[0-9]+' ELSE pg_catalog.concat('^_', generation) END;
    taken pg_catalog.text;
BEGIN
    SELECT pg_catalog.min(there.name) INTO taken
    FROM (
        SELECT c.relname::pg_catalog.text, c.relkind OPERATOR(pg_catalog.=) 'i', false FROM pg_catalog.pg_class c
        WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
        UNION ALL
        SELECT p.proname::pg_catalog.text, false, true FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
        UNION ALL
        SELECT t.typname::pg_catalog.text, false, false FROM pg_catalog.pg_type t
        WHERE t.typnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
    ) AS there (name, is_index, is_function),
        LATERAL (SELECT pg_catalog.substr(there.name, pg_catalog.length(collection) OPERATOR(pg_catalog.+) 1)) AS rest (name)
    WHERE there.name OPERATOR(pg_catalog.^@) collection
        -- an index and a function may have the same name: the index a_1_lexical is of a, the function of a_1
        AND rest.name OPERATOR(pg_catalog.~) pg_catalog.concat(suffix, '(_({generation_kinds}',
            CASE WHEN NOT there.is_function THEN indexes END, '))?$')
        AND NOT (there.is_index AND rest.name OPERATOR(pg_catalog.~) '^_({function_kinds})$');
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'a collection % would make pgencoder.%, which is there already',
            pg_catalog.quote_literal(collection), pg_catalog.quote_ident(taken)
            USING ERRCODE = 'duplicate_object', HINT = 'Give another name.';
    END IF;
END
$$;
COMMENT ON FUNCTION pgencoder._check_free(pg_catalog.text, int) IS
    'Raises an error if the schema has a name that a collection needs, for a generation or, with NULL, for all to come';
