DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN {new_keys}
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN {updated_keys}
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN {old_keys} END;
    queues CONSTANT pg_catalog.text := {queues};
    changed bigint := 1;
    lost pg_catalog.text;
BEGIN
    -- checked before, because catching the error would cost every statement a subtransaction
    IF TG_OP OPERATOR(pg_catalog.<>) 'TRUNCATE' THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(needed), ', ') INTO lost
        FROM pg_catalog.unnest(CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN {needed_columns}
            ELSE {key_columns} END) AS needed
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) TG_RELID
                AND a.attname OPERATOR(pg_catalog.=) needed::pg_catalog.name AND NOT a.attisdropped
        );
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION 'the table % has no column % any more, which the collection % is made of', TG_RELID::pg_catalog.regclass,
                lost, pg_catalog.quote_literal({name}) USING ERRCODE = 'undefined_column', HINT = pg_catalog.concat(
                    'Bring the column back; or run: pgencoder detach ', {name});
        END IF;
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ({name});
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE {queue_keys} INTO changed;
    ELSE
        BEGIN
            EXECUTE {queue_keys} INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key after this transaction's snapshot, so the transaction cannot change the key's
            -- row in the queue. The application must not fail for that.
            EXECUTE {late_keys};
        END;
    END IF;
    -- only if a worker waits for it: NOTIFY lets commits wait for each other, and forbids PREPARE TRANSACTION
    IF changed OPERATOR(pg_catalog.>) 0
        AND pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
        AND EXISTS (
            SELECT FROM pgencoder.worker WHERE waiting
                AND last_seen OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 minute')
        ) THEN
        PERFORM pg_catalog.pg_notify('pgencoder', {name});
    END IF;
    RETURN NULL;
END
