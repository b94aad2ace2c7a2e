CREATE OR REPLACE FUNCTION pgencoder.read_failed()
RETURNS TABLE (
    collection text, generation int, key jsonb, error text, attempts int, retry_at timestamptz, changed_at timestamptz
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT g.collection AS name, g.number FROM pgencoder.generation g ORDER BY 1, 2 LOOP
        RETURN QUERY EXECUTE format(
            'SELECT $1, $2, to_jsonb(q) - ARRAY[''seq'', ''attempts'', ''run_after'', ''claimed_until'', ''last_error'',
                ''changed_at''], q.last_error, q.attempts, nullif(q.run_after, ''infinity''), q.changed_at
            FROM pgencoder.%I q WHERE q.last_error IS NOT NULL', each.name || '_' || each.number || '_queue'
        ) USING each.name, each.number;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgencoder.read_failed() IS 'The rows of the view pgencoder.failed';
