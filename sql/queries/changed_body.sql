DECLARE
    keys pg_catalog.text := CASE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN {new_keys}
        WHEN TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN {updated_keys}
        WHEN TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN {old_keys} END;
    queues CONSTANT pg_catalog.text := {queues};
    changed bigint := 1;
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ({name});
    ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.^@) 'read' THEN
        EXECUTE {queue_keys} INTO changed;
    ELSE
        BEGIN
            EXECUTE {queue_keys} INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key since this transaction's snapshot, which may not touch the key's queue row
            -- any more. That is no reason for the application to fail.
            EXECUTE {late_keys};
        END;
    END IF;
    -- NOTIFY makes commits wait for each other and forbids PREPARE TRANSACTION: only where some worker waits for it
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
