-- The functions that read the source run as its owner, so code in the types of the source runs with its owner's rights. The
-- owner may create objects here only until leave_source_owner.
DECLARE
    keeper pg_catalog.record;
    owner pg_catalog.record;
    each pg_catalog.record;
BEGIN
    SELECT r.* INTO keeper FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder';
    SELECT r.* INTO owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
        WHERE c.oid OPERATOR(pg_catalog.=) {source_name}::pg_catalog.regclass::pg_catalog.oid;
    PERFORM pg_catalog.set_config('pgencoder.role_before', pg_catalog.current_setting('role'), true);
    PERFORM pg_catalog.set_config('pgencoder.granted_to', '', true);
    -- each role could run code as the other: with the types of the table, or with triggers on the queue
    IF keeper.rolsuper OPERATOR(pg_catalog.<>) owner.rolsuper THEN
        RAISE EXCEPTION 'the table % belongs to %, and the schema pgencoder to %: only one of them is a superuser,'
            ' and the other could act as that one; let one role that is no superuser own both', {source_name}, owner.rolname,
            keeper.rolname USING ERRCODE = 'insufficient_privilege';
    ELSIF keeper.rolsuper OR owner.rolname OPERATOR(pg_catalog.=) CURRENT_USER THEN
        RETURN;
    END IF;
    IF NOT pg_catalog.has_schema_privilege(owner.oid, 'pgencoder', 'CREATE') THEN
        -- two sessions cannot grant at the same time; only roles that may write here can hold this lock
        LOCK TABLE pgencoder.collection IN SHARE UPDATE EXCLUSIVE MODE;
        EXECUTE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA pgencoder TO %I', owner.rolname);
        PERFORM pg_catalog.set_config('pgencoder.granted_to', owner.rolname, true);
    END IF;
    BEGIN
        FOR each IN
            SELECT p.oid::pg_catalog.regprocedure AS signature FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace
                AND p.proowner OPERATOR(pg_catalog.<>) owner.oid
                AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[{changed_name}, {read_name}, {scan_name}])
        LOOP
            EXECUTE pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', each.signature, owner.rolname);
        END LOOP;
        PERFORM pg_catalog.set_config('role', owner.rolname, true);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'what reads the table % runs as its owner, and % may not become that (%); run: GRANT % TO %; or:'
            ' ALTER TABLE % OWNER TO %', {source_name}, CURRENT_USER, SQLERRM, pg_catalog.quote_ident(owner.rolname),
            pg_catalog.quote_ident(CURRENT_USER), {source_name}, pg_catalog.quote_ident(CURRENT_USER)
            USING ERRCODE = 'insufficient_privilege';
    END;
END
