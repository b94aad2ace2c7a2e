CREATE OR REPLACE FUNCTION pgencoder._drop_generation(collection pg_catalog.text, generation int) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    passages CONSTANT pg_catalog.text := pg_catalog.concat(collection, '_', generation);
    queue CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_queue';
    write CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_write';
    build CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_build';
    count CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_count';
    terms CONSTANT pg_catalog.text := passages OPERATOR(pg_catalog.||) '_terms';
BEGIN
    EXECUTE pg_catalog.format('DROP VIEW IF EXISTS pgencoder.%I', write);
    EXECUTE pg_catalog.format('DROP TABLE IF EXISTS pgencoder.%I, pgencoder.%I, pgencoder.%I', passages, queue, terms);
    EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS pgencoder.%I(), pgencoder.%I(), pgencoder.%I()', write, build, count);
    DELETE FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) _drop_generation.collection
        AND g.number OPERATOR(pg_catalog.=) _drop_generation.generation;
END
$$;
COMMENT ON FUNCTION pgencoder._drop_generation(pg_catalog.text, int) IS
    'Removes the tables and functions of a generation, and its row in the catalogue; the triggers must not queue for it';
