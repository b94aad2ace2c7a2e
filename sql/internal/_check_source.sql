CREATE OR REPLACE FUNCTION pgencoder._check_source(
    collection pg_catalog.text, generation int, source pg_catalog.text
) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    named CONSTANT pg_catalog.oid := pg_catalog.to_regclass(source);
BEGIN
    IF named OPERATOR(pg_catalog.=) pgencoder._attached_table(
        pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', pg_catalog.concat(collection, '_', generation)))
    ) THEN
        RETURN true;
    END IF;
    IF named IS NULL THEN
        RAISE EXCEPTION 'the table % of the collection % is gone', source, pg_catalog.quote_literal(collection)
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = pg_catalog.concat(
                'Bring it back and run: pgencoder repair ', collection, '; or: pgencoder detach ', collection);
    END IF;
    RAISE EXCEPTION 'the table % is not the one that the collection % was attached to', source,
        pg_catalog.quote_literal(collection)
        USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = pg_catalog.concat('Run: pgencoder repair ', collection);
END
$$;
COMMENT ON FUNCTION pgencoder._check_source(pg_catalog.text, int, pg_catalog.text) IS
    'Returns true, or raises an error if the table of that name is not the one that the collection was attached to';
