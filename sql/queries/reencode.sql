DECLARE
    -- makes the trigger's function; what is between the first two marks it has for each generation, wherever it is
    changed CONSTANT text := {changed};
    queue CONSTANT text := split_part(changed, '/* queues */', 2);
    role CONSTANT text := current_setting('role');
    latest int;
    chosen pgencoder.generation;
    other pgencoder.generation;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgencoder collection ' || {name}, 0));
    -- no writer is between its change and its commit: the next ones run the new function
    LOCK TABLE {source} IN SHARE ROW EXCLUSIVE MODE;
    SELECT max(number) INTO latest FROM pgencoder.generation WHERE collection = {name};
    IF latest IS NULL THEN
        RAISE EXCEPTION 'no collection %', quote_literal({name}) USING ERRCODE = 'undefined_object';
    END IF;
    SELECT * INTO chosen FROM pgencoder.generation g
        WHERE collection = {name} AND token_type = {token_type} AND chunking = {chunking} AND
            CASE WHEN g.encoder ? 'weights' THEN g.encoder - ARRAY['model', 'token_model'] ELSE g.encoder END = {comparable}
        ORDER BY state = 'active' DESC, state = 'building' DESC, number DESC LIMIT 1;
    IF chosen.state = 'retired' THEN
        RAISE EXCEPTION 'generation % of % is there already: pgencoder activate % --generation %',
            chosen.number, quote_literal({name}), quote_literal({name}), chosen.number;
    END IF;
    FOR other IN
        SELECT * FROM pgencoder.generation
        WHERE collection = {name} AND state = 'building' AND number IS DISTINCT FROM chosen.number
    LOOP
        RAISE NOTICE 'generation % of % is given up', other.number, quote_literal({name});
        EXECUTE format(
            'DROP VIEW pgencoder.%2$I; DROP TABLE pgencoder.%1$I, pgencoder.%3$I;'
            ' DROP FUNCTION pgencoder.%2$I(), pgencoder.%4$I()',
            {name} || '_' || other.number, {name} || '_' || other.number || '_write',
            {name} || '_' || other.number || '_queue', {name} || '_' || other.number || '_build');
        DELETE FROM pgencoder.generation WHERE collection = {name} AND number = other.number;
    END LOOP;
    -- what is made belongs to whom the collection belongs to, as whom the trigger runs
    PERFORM set_config('role', 'none', true);
    PERFORM set_config('role', rolname, true) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
        WHERE rolname <> current_user AND pg_class.oid = (
            SELECT to_regclass(format('pgencoder.%I', {name} || '_' || number)) FROM pgencoder.generation
            WHERE collection = {name} AND state = 'active');
    IF chosen IS NULL THEN
        INSERT INTO pgencoder.generation
            (collection, number, state, encoder, dense_dims, token_dims, token_type, chunking)
            VALUES ({name}, latest + 1, 'building', {encoder}, {dense_dims}, {token_dims}, {token_type}, {chunking});
        EXECUTE replace({generation}, {marker}, (latest + 1)::text);
    END IF;
    EXECUTE replace(changed, queue, (
        SELECT string_agg(replace(queue, {marker}, number::text), ', ' ORDER BY number)
        FROM pgencoder.generation WHERE collection = {name}));
    PERFORM set_config('role', role, true);
END
