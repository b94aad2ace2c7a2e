DECLARE
    keys text := CASE TG_OP WHEN 'INSERT' THEN {new_keys} WHEN 'UPDATE' THEN {updated_keys} WHEN 'DELETE' THEN {old_keys} END;
    changed bigint := 1;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO pgencoder.late (collection) VALUES ({name});
    ELSIF current_setting('transaction_isolation') LIKE 'read%' THEN
        EXECUTE replace({queue_keys}, '/* keys */', keys) INTO changed;
    ELSE
        BEGIN
            EXECUTE replace({queue_keys}, '/* keys */', keys) INTO changed;
        EXCEPTION WHEN serialization_failure THEN
            -- A worker has claimed a key since this transaction's snapshot, which may not touch the key's queue row
            -- any more. That is no reason for the application to fail.
            EXECUTE replace({late_keys}, '/* keys */', keys);
        END;
    END IF;
    -- NOTIFY makes commits wait for each other and forbids PREPARE TRANSACTION: only where some worker waits for it
    IF changed > 0 AND current_setting('max_prepared_transactions') = '0'
        AND EXISTS (SELECT FROM pgencoder.worker WHERE waiting AND last_seen > now() - interval '1 minute') THEN
        PERFORM pg_notify('pgencoder', {name});
    END IF;
    RETURN NULL;
END
