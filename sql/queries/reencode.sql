DECLARE
    role CONSTANT pg_catalog.text := pg_catalog.current_setting('role');
    latest int;
    queues pg_catalog.text;
    chosen pg_catalog.record;
    other pg_catalog.record;
BEGIN
    PERFORM FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) {name} ORDER BY g.number FOR UPDATE;
    -- no writer is between its change and its commit now, so the next writers run the new function
    LOCK TABLE {source} IN SHARE ROW EXCLUSIVE MODE;
    SELECT pg_catalog.max(number) INTO latest FROM pgencoder.generation WHERE collection OPERATOR(pg_catalog.=) {name};
    IF latest IS NULL THEN
        RAISE EXCEPTION 'no collection %', pg_catalog.quote_literal({name}) USING ERRCODE = 'undefined_object';
    END IF;
    IF EXISTS (
        SELECT FROM pgencoder.representation r JOIN pgencoder.generation g
            ON r.collection OPERATOR(pg_catalog.=) g.collection AND r.generation OPERATOR(pg_catalog.=) g.number
        WHERE g.collection OPERATOR(pg_catalog.=) {name} AND g.state OPERATOR(pg_catalog.=) 'active'
            AND r.name OPERATOR(pg_catalog.<>) ALL ({kept})
    ) THEN
        RAISE EXCEPTION 'a script cannot encode % again, because it stores more than vectors: pgencoder reencode %',
            pg_catalog.quote_literal({name}), pg_catalog.quote_literal({name}) USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT * INTO chosen FROM pgencoder.generation g
        WHERE collection OPERATOR(pg_catalog.=) {name} AND {same_representations}
            AND chunking OPERATOR(pg_catalog.=) {chunking}
            AND pgencoder._comparable(g.encoder) OPERATOR(pg_catalog.=) pgencoder._comparable({encoder})
        ORDER BY (state OPERATOR(pg_catalog.=) 'active') DESC, (state OPERATOR(pg_catalog.=) 'building') DESC, number DESC
        LIMIT 1;
    IF chosen.state OPERATOR(pg_catalog.=) 'retired' THEN
        RAISE EXCEPTION 'generation % of % is there already: pgencoder activate % --generation %',
            chosen.number, pg_catalog.quote_literal({name}), pg_catalog.quote_literal({name}), chosen.number;
    END IF;
    FOR other IN
        SELECT * FROM pgencoder.generation
        WHERE collection OPERATOR(pg_catalog.=) {name} AND state OPERATOR(pg_catalog.=) 'building'
            AND (number OPERATOR(pg_catalog.=) chosen.number) IS NOT TRUE
    LOOP
        RAISE NOTICE 'generation % of % is removed', other.number, pg_catalog.quote_literal({name});
        PERFORM pgencoder._drop_generation({name}, other.number);
    END LOOP;
    -- the new objects get the owner of the collection, because the trigger runs as that role
    PERFORM pg_catalog.set_config('role', 'none', true);
    PERFORM pg_catalog.set_config('role', r.rolname, true)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE r.rolname OPERATOR(pg_catalog.<>) current_user AND c.oid OPERATOR(pg_catalog.=) (
            SELECT pg_catalog.to_regclass(pg_catalog.format(
                'pgencoder.%I', {name} OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) number))
            FROM pgencoder.generation
            WHERE collection OPERATOR(pg_catalog.=) {name} AND state OPERATOR(pg_catalog.=) 'active');
    IF chosen IS NULL THEN
        {add};
        PERFORM pgencoder._check_free({name}, latest OPERATOR(pg_catalog.+) 1);
        EXECUTE {generation};
    END IF;
    SELECT pg_catalog.string_agg({queue}, ', ' ORDER BY g.number) INTO queues
        FROM pgencoder.generation g WHERE g.collection OPERATOR(pg_catalog.=) {name};
    EXECUTE {changed};
    PERFORM pg_catalog.set_config('role', role, true);
END;
