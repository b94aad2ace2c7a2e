CREATE OR REPLACE FUNCTION pgencoder.detach(name text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    passages text[];
    each text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgencoder collection ' || detach.name, 0));
    SELECT array_agg(g.collection || '_' || g.number) INTO passages
        FROM pgencoder.generation g WHERE g.collection = detach.name;
    IF passages IS NULL THEN
        RAISE EXCEPTION 'no collection %', quote_literal(detach.name) USING ERRCODE = 'undefined_object';
    END IF;
    -- the triggers go with their function
    EXECUTE format('DROP FUNCTION IF EXISTS pgencoder.%I() CASCADE', detach.name || '_changed');
    EXECUTE format('DROP VIEW IF EXISTS pgencoder.%I', detach.name || '_passages');
    FOREACH each IN ARRAY passages LOOP
        EXECUTE format('DROP VIEW IF EXISTS pgencoder.%I', each || '_write');
        EXECUTE format('DROP TABLE IF EXISTS pgencoder.%I, pgencoder.%I', each, each || '_queue');
    END LOOP;
    FOR each IN
        SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'pgencoder'::regnamespace AND p.proname IN (
            SELECT detach.name || s FROM unnest(ARRAY['_search', '_read', '_scan', '_visible', '_active']) AS s
            UNION ALL SELECT p || s FROM unnest(passages) AS p CROSS JOIN unnest(ARRAY['_write', '_build']) AS s
        )
    LOOP
        EXECUTE 'DROP FUNCTION ' || each;
    END LOOP;
    DELETE FROM pgencoder.late l WHERE l.collection = detach.name;
    DELETE FROM pgencoder.collection c WHERE c.name = detach.name;
END
$$;
COMMENT ON FUNCTION pgencoder.detach(text) IS
    'Removes a collection and everything that was made for it; the source table keeps its rows';
