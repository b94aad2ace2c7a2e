-- What can be encoded is encoded all the same: a partition of today, or triggers that are off while data is restored, must
-- not stop everything else.
CREATE OR REPLACE FUNCTION pgencoder.source_warning(collection text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known pg_catalog.record;
    named oid;
    changed oid;
    what text;
    repair CONSTANT text := '; run: pgencoder repair ' || collection;
BEGIN
    SELECT * INTO known FROM pgencoder.collection c WHERE c.name = source_warning.collection;
    SELECT c.oid INTO named FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = known.source_schema AND c.relname = known.source_table AND c.relkind IN ('r', 'p');
    SELECT p.oid INTO changed FROM pg_proc p
        WHERE p.pronamespace = 'pgencoder'::regnamespace AND p.proname = known.name || '_changed';
    IF named IS NULL OR changed IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT string_agg(format('%s of %s is %s', trigger, relation::regclass, state), ', ' ORDER BY relation <> named,
        relation::regclass::text, trigger) INTO what
    FROM (
        WITH RECURSIVE tree (oid) AS (
            SELECT named UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
        )
        SELECT 'pgencoder_' || known.name || '_' || e.event, tree.oid,
            CASE WHEN t.oid IS NULL THEN 'missing' WHEN t.tgfoid <> changed THEN 'of another function'
                WHEN t.tgtype <> e.type THEN 'for another event'
                WHEN t.tgenabled = 'D' THEN 'disabled' WHEN t.tgenabled = 'R' THEN 'for replicas only' END
        FROM tree JOIN pg_class c ON c.oid = tree.oid AND c.relkind IN ('r', 'p')
        CROSS JOIN (VALUES ('insert', 4), ('update', 16), ('delete', 8), ('truncate', 32)) AS e (event, type)
        LEFT JOIN pg_trigger t ON t.tgrelid = tree.oid AND t.tgname = 'pgencoder_' || known.name || '_' || e.event
    ) AS triggers (trigger, relation, state) WHERE state IS NOT NULL;
    IF what IS NOT NULL THEN
        RETURN 'changes of its table are not seen: the trigger ' || what || repair;
    END IF;
    SELECT string_agg(DISTINCT p.proowner::regrole::text, ', ') INTO what FROM pg_proc p, pg_class c
        WHERE c.oid = named AND p.pronamespace = 'pgencoder'::regnamespace AND p.proowner <> c.relowner
            AND p.proname IN (known.name || '_changed', known.name || '_read', known.name || '_scan');
    IF what IS NOT NULL THEN
        RETURN format('its functions run as %s, who does not own its table', what) || repair;
    END IF;
    SELECT string_agg('the function ' || f, ', ') INTO what
        FROM unnest(ARRAY[known.name || '_search', known.name || '_active']) AS f
        WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'pgencoder'::regnamespace AND p.proname = f);
    IF what IS NOT NULL THEN
        RETURN format('it has lost %s', what) || repair;
    END IF;
    SELECT string_agg(coalesce(nullif(s.setrole, 0)::regrole::text, 'every role'), ', ') INTO what
        FROM pg_db_role_setting s
        WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
            AND 'session_replication_role=replica' = ANY (s.setconfig);
    IF what IS NULL AND current_setting('session_replication_role') = 'replica' THEN
        what := 'this session';
    END IF;
    IF what IS NOT NULL THEN
        RETURN format('session_replication_role is replica for %s, so triggers do not see its changes; reset that and run:'
            ' pgencoder reconcile %s', what, known.name);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pgencoder.source_warning(text) IS
    'Why changes of a collection''s table may go unseen: triggers that are missing, off or of another function; else NULL';
