CREATE OR REPLACE FUNCTION pgencoder.read_status()
RETURNS TABLE (
    collection text, generation int, state text, model text, source_rows bigint, passages bigint, coverage float8,
    queued bigint, in_flight bigint, failed bigint, lag_seconds float8, rows_per_second float8, workers bigint,
    indexed boolean, truncated bigint, bytes bigint
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each record;
    relation text;
    pending bigint;
BEGIN
    FOR each IN
        SELECT g.*, c.source_schema, c.source_table, g.collection || '_' || g.number AS name
        FROM pgencoder.generation g JOIN pgencoder.collection c ON c.name = g.collection ORDER BY g.collection, g.number
    LOOP
        collection := each.collection;
        generation := each.number;
        state := each.state;
        model := concat_ws(' + ', each.encoder ->> 'model', each.encoder ->> 'token_model');
        indexed := to_regclass(format('pgencoder.%I', each.name || '_dense')) IS NOT NULL;
        source_rows := NULL;
        IF has_table_privilege(to_regclass(format('%I.%I', each.source_schema, each.source_table)), 'SELECT') THEN
            EXECUTE format('SELECT count(*) FROM %I.%I', each.source_schema, each.source_table) INTO source_rows;
        END IF;
        -- a worker that may not read the source cannot be shown passages by their policy
        relation := format('pgencoder.%I', each.name || '_write');
        IF NOT has_table_privilege(relation, 'SELECT') THEN
            relation := format('pgencoder.%I', each.name);
        END IF;
        EXECUTE format('SELECT count(*), count(*) FILTER (WHERE truncated) FROM %s', relation) INTO passages, truncated;
        bytes := pg_table_size(format('pgencoder.%I', each.name));
        EXECUTE format(
            'SELECT count(*), count(*) FILTER (WHERE run_after < ''infinity'' AND claimed_until > now() IS NOT TRUE),
                count(*) FILTER (WHERE claimed_until > now()), count(*) FILTER (WHERE run_after = ''infinity''),
                coalesce(extract(epoch FROM now() - min(changed_at) FILTER (WHERE run_after < ''infinity'')), 0)
            FROM pgencoder.%I', each.name || '_queue'
        ) INTO pending, queued, in_flight, failed, lag_seconds;
        IF each.queued_at IS NULL THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE passage = 0', relation) INTO pending;
            pending := source_rows - pending;
        END IF;
        coverage := CASE WHEN source_rows = 0 THEN 1 ELSE greatest(source_rows - pending, 0) / source_rows::float8 END;
        SELECT coalesce(sum((w.rates ->> each.name)::float8), 0), count(*) INTO rows_per_second, workers
        FROM pgencoder.worker w WHERE w.last_seen > now() - interval '30 seconds';
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgencoder.read_status() IS 'The rows of the view pgencoder.status';
