-- The rights of the trigger, which runs as the owner of the source
DECLARE
    owner pg_catalog.record;
BEGIN
    SELECT r.* INTO owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) {source_name}::pg_catalog.regclass::pg_catalog.oid;
    IF owner.rolname OPERATOR(pg_catalog.=) CURRENT_USER OR (
        SELECT r.rolsuper FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder'
    ) THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA pgencoder TO %1$I; GRANT INSERT ON pgencoder.late TO %1$I;'
        ' GRANT SELECT (waiting, last_seen) ON pgencoder.worker TO %1$I; GRANT USAGE ON SEQUENCE pgencoder.change TO %1$I',
        owner.rolname);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE ON %s TO %I', {queue_name}, owner.rolname);
END
