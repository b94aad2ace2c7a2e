DECLARE
    granted CONSTANT pg_catalog.text := pg_catalog.current_setting('pgencoder.granted_to');
BEGIN
    PERFORM pg_catalog.set_config('role', pg_catalog.current_setting('pgencoder.role_before'), true);
    IF granted OPERATOR(pg_catalog.<>) '' THEN
        EXECUTE pg_catalog.format('REVOKE CREATE ON SCHEMA pgencoder FROM %I', granted);
    END IF;
END
