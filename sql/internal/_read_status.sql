CREATE OR REPLACE FUNCTION pgencoder._read_status()
RETURNS TABLE (
    collection pg_catalog.text, generation int, state pg_catalog.text, model pg_catalog.text, source_rows bigint,
    passages bigint, coverage double precision, queued bigint, in_flight bigint, failed bigint,
    lag_seconds double precision, rows_per_second double precision, workers bigint, indexed boolean, truncated bigint,
    bytes bigint, problem pg_catalog.text, unknown bigint
)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each pg_catalog.record;
    relation pg_catalog.text;
    pending bigint;
BEGIN
    FOR each IN
        SELECT g.*, c.source_schema, c.source_table,
            g.collection OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) g.number AS name
        FROM pgencoder.generation g JOIN pgencoder.collection c ON c.name OPERATOR(pg_catalog.=) g.collection
        ORDER BY g.collection, g.number
    LOOP
        collection := each.collection;
        generation := each.number;
        state := each.state;
        model := pg_catalog.concat_ws(' + ', each.encoder OPERATOR(pg_catalog.->>) 'model',
            each.encoder OPERATOR(pg_catalog.->>) 'token_model', each.encoder OPERATOR(pg_catalog.->>) 'sparse_model');
        indexed := NOT EXISTS (
            SELECT FROM pgencoder.representation r
            WHERE r.collection OPERATOR(pg_catalog.=) each.collection AND r.generation OPERATOR(pg_catalog.=) each.number
                AND r.indexed AND pg_catalog.to_regclass(pg_catalog.format(
                    'pgencoder.%I', pg_catalog.concat(each.name, '_', r.name))) IS NULL
        );
        problem := coalesce(pgencoder._source_problem(each.collection), pgencoder._source_warning(each.collection));
        source_rows := NULL;
        -- only the table itself: a view in its place, or its policies, would run its owner's code with the caller's rights
        IF EXISTS (
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE n.nspname OPERATOR(pg_catalog.=) each.source_schema
                AND c.relname OPERATOR(pg_catalog.=) each.source_table
                AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
                AND c.oid OPERATOR(pg_catalog.=) pgencoder._attached_table((
                    SELECT p.oid FROM pg_catalog.pg_class p
                    WHERE p.relnamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                        AND p.relname OPERATOR(pg_catalog.=) each.name
                ))
                AND NOT pg_catalog.row_security_active(c.oid)
                AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
        ) THEN
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*) FROM %I.%I', each.source_schema, each.source_table) INTO source_rows;
        END IF;
        SELECT coalesce(pg_catalog.sum(pgencoder._rate(w.rates, each.name)), 0), pg_catalog.count(*)
        INTO rows_per_second, workers
        FROM pgencoder.worker w
        WHERE w.last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '30 seconds');
        passages := 0;
        truncated := 0;
        unknown := 0;
        queued := 0;
        in_flight := 0;
        failed := 0;
        lag_seconds := 0;
        coverage := NULL;
        bytes := coalesce(pg_catalog.pg_table_size(
            pg_catalog.to_regclass(pg_catalog.format('pgencoder.%I', each.name))), 0);
        IF NOT EXISTS (
            SELECT FROM pg_catalog.unnest(ARRAY['', '_write', '_queue']) AS suffix
            WHERE pg_catalog.to_regclass(pg_catalog.format(
                'pgencoder.%I', each.name OPERATOR(pg_catalog.||) suffix)) IS NULL
        ) THEN
            -- the policy hides passages from a worker that may not read the source
            relation := pg_catalog.format('pgencoder.%I', each.name OPERATOR(pg_catalog.||) '_write');
            IF NOT pg_catalog.has_table_privilege(relation, 'SELECT') THEN
                relation := pg_catalog.format('pgencoder.%I', each.name);
            END IF;
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE truncated) FROM %s', relation
            ) INTO passages, truncated;
            IF EXISTS (
                SELECT FROM pg_catalog.pg_attribute a WHERE a.attname OPERATOR(pg_catalog.=) 'mostly_unknown'
                    AND a.attrelid OPERATOR(pg_catalog.=) relation::pg_catalog.regclass
            ) THEN  -- an old view lacks the column if it could not be replaced
                EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE mostly_unknown', relation)
                INTO unknown;
            END IF;
            EXECUTE pg_catalog.format(
                'SELECT pg_catalog.count(*),
                    pg_catalog.count(*) FILTER (WHERE run_after OPERATOR(pg_catalog.<) ''infinity''
                        AND (claimed_until OPERATOR(pg_catalog.>) pg_catalog.now()) IS NOT TRUE),
                    pg_catalog.count(*) FILTER (WHERE claimed_until OPERATOR(pg_catalog.>) pg_catalog.now()),
                    pg_catalog.count(*) FILTER (WHERE run_after OPERATOR(pg_catalog.=) ''infinity''),
                    extract(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) greatest(least(pg_catalog.now(),
                        pg_catalog.min(changed_at) FILTER (WHERE run_after OPERATOR(pg_catalog.<) ''infinity'')), ''epoch''))
                FROM pgencoder.%I', each.name OPERATOR(pg_catalog.||) '_queue'
            ) INTO pending, queued, in_flight, failed, lag_seconds;
            IF each.queued_at IS NULL THEN
                EXECUTE pg_catalog.format(
                    'SELECT pg_catalog.count(*) FROM %s WHERE passage OPERATOR(pg_catalog.=) 0', relation) INTO pending;
                pending := source_rows OPERATOR(pg_catalog.-) pending;
            END IF;
            coverage := CASE WHEN source_rows OPERATOR(pg_catalog.=) 0 THEN 1
                ELSE greatest(source_rows OPERATOR(pg_catalog.-) pending, 0)
                    OPERATOR(pg_catalog./) source_rows::double precision END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgencoder._read_status() IS 'The rows of the view pgencoder.status';
