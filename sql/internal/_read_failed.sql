CREATE OR REPLACE FUNCTION pgencoder._read_failed()
RETURNS TABLE (
    collection pg_catalog.text, generation int, key pg_catalog.jsonb, error pg_catalog.text, attempts int,
    retry_at timestamp with time zone, changed_at timestamp with time zone
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each pg_catalog.record;
BEGIN
    FOR each IN SELECT g.collection AS name, g.number FROM pgencoder.generation g
        WHERE pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', pg_catalog.concat(g.collection, '_', g.number, '_queue')))
            IS NOT NULL
        ORDER BY 1, 2
    LOOP
        RETURN QUERY EXECUTE pg_catalog.format(
            'SELECT $1, $2, pg_catalog.to_jsonb(q) OPERATOR(pg_catalog.-) ARRAY[''seq'', ''attempts'', ''run_after'',
                ''claimed_until'', ''last_error'', ''changed_at''], pg_catalog.left(q.last_error, 10000), q.attempts,
                CASE WHEN q.run_after OPERATOR(pg_catalog.<) ''infinity'' THEN
                    greatest(least(q.run_after, pg_catalog.now() OPERATOR(pg_catalog.+) interval ''1 year''), ''epoch'') END,
                greatest(least(q.changed_at, pg_catalog.now()), ''epoch'')
            FROM pgencoder.%I q WHERE q.last_error IS NOT NULL',
            each.name OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) each.number OPERATOR(pg_catalog.||) '_queue'
        ) USING each.name, each.number;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgencoder._read_failed() IS 'The rows of the view pgencoder.failed';
