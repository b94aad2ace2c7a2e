BEGIN
    -- NULL while a repair compares the passages with a table that is not attached yet
    IF pgencoder.attached_table(pg_catalog.to_regclass({passages_name}))
        OPERATOR(pg_catalog.<>) pg_catalog.to_regclass({source_name})::pg_catalog.oid THEN
        PERFORM pgencoder.check_source({name}, {number}, {source_name});
    END IF;
    RETURN QUERY EXECUTE {statement} USING {arguments};
END
