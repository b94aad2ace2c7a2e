BEGIN
    -- its owner could turn it into SECURITY INVOKER; the policies of the table would then run as the caller
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_roles owner ON owner.oid OPERATOR(pg_catalog.=) c.relowner
        JOIN pg_catalog.pg_roles self ON self.rolname OPERATOR(pg_catalog.=) CURRENT_USER
        WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({source_name})::pg_catalog.oid
            AND (owner.oid OPERATOR(pg_catalog.=) self.oid OR (owner.rolsuper AND self.rolsuper))
    ) THEN
        IF pg_catalog.to_regclass({source_name}) IS NULL THEN
            PERFORM pgencoder._check_source({name}, {number}, {source_name});
        END IF;
        RAISE EXCEPTION 'what reads the table % runs as %, who does not own it', {source_name}, CURRENT_USER
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = pg_catalog.concat('Run: pgencoder repair ', {name});
    END IF;
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder._attached_table(pg_catalog.to_regclass({passages_name}))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass({source_name})::pg_catalog.oid THEN
        PERFORM pgencoder._check_source({name}, {number}, {source_name});
    END IF;
    RETURN QUERY EXECUTE {statement} USING {arguments};
END
