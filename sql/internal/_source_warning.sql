-- A warning, not an error: a new partition, or triggers that are off during a restore, must not stop the encoding of
-- other rows.
CREATE OR REPLACE FUNCTION pgencoder._source_warning(collection pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_catalog.record;
    named pg_catalog.oid;
    changed pg_catalog.oid;
    what pg_catalog.text;
    repair CONSTANT pg_catalog.text := pg_catalog.concat('; run: pgencoder repair ', collection);
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name OPERATOR(pg_catalog.=) _source_warning.collection;
    SELECT c.oid INTO named
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) known.source_schema AND c.relname OPERATOR(pg_catalog.=) known.source_table
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[]);
    SELECT p.oid INTO changed FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) pg_catalog.concat(known.name, '_changed');
    IF named IS NULL OR changed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.format('%s of %s is %s', name, relation, state), ', ' ORDER BY relation, name)
    INTO what
    FROM (
        WITH RECURSIVE tree (oid) AS (
            SELECT named
            UNION
            SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
        )
        SELECT e.name, tree.oid::pg_catalog.regclass::pg_catalog.text, CASE WHEN t.oid IS NULL THEN 'missing'
            WHEN t.tgfoid OPERATOR(pg_catalog.<>) changed THEN 'of another function'
            WHEN t.tgtype OPERATOR(pg_catalog.<>) e.type THEN 'for another event'
            WHEN t.tgenabled OPERATOR(pg_catalog.=) 'D' THEN 'disabled'
            WHEN t.tgenabled OPERATOR(pg_catalog.=) 'R' THEN 'for replicas only' END
        FROM tree JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) tree.oid
            AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
        CROSS JOIN (
            SELECT pg_catalog.concat('pgencoder_', known.name, '_', event), type
            FROM (VALUES ('insert', 4), ('update', 16), ('delete', 8), ('truncate', 32)) AS events (event, type)
        ) AS e (name, type)
        LEFT JOIN pg_catalog.pg_trigger t
            ON t.tgrelid OPERATOR(pg_catalog.=) tree.oid AND t.tgname OPERATOR(pg_catalog.=) e.name
    ) AS triggers (name, relation, state) WHERE state IS NOT NULL;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('changes of its table are not seen: the trigger %s%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(DISTINCT p.proowner::pg_catalog.regrole::pg_catalog.text, ', ') INTO what
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_class c ON c.relowner OPERATOR(pg_catalog.<>) p.proowner
        WHERE c.oid OPERATOR(pg_catalog.=) named
            AND p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
            AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.concat(known.name, '_changed'),
                pg_catalog.concat(known.name, '_read'), pg_catalog.concat(known.name, '_scan')]);
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('its functions run as %s, who does not own its table%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(pg_catalog.concat('the function ', f), ', ') INTO what
        FROM pg_catalog.unnest(ARRAY[pg_catalog.concat(known.name, '_search'), pg_catalog.concat(known.name, '_active')]) AS f
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND p.proname OPERATOR(pg_catalog.=) f
        );
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('it has lost %s%s', what, repair);
    END IF;
    SELECT pg_catalog.string_agg(CASE WHEN s.setrole OPERATOR(pg_catalog.=) 0 THEN 'every role'
            ELSE s.setrole::pg_catalog.regrole::pg_catalog.text END, ', ') INTO what
        FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.setdatabase
        WHERE coalesce(d.datname, pg_catalog.current_database()) OPERATOR(pg_catalog.=) pg_catalog.current_database()
            AND 'session_replication_role=replica' OPERATOR(pg_catalog.=) ANY (s.setconfig);
    IF what IS NULL AND pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica' THEN
        what := 'this session';
    END IF;
    IF what IS NOT NULL THEN
        RETURN pg_catalog.format('session_replication_role is replica for %s, so triggers do not see its changes; reset that'
            ' and run: pgencoder reconcile %s', what, known.name);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pgencoder._source_warning(pg_catalog.text) IS
    'The reason why changes of a collection''s table may be missed: triggers are missing, off or replaced; else NULL';
