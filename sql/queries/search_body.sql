DECLARE
    -- on separate lines, because it may end with a comment
    wanted CONSTANT pg_catalog.text := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    statement pg_catalog.text := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN {by_passage}
        WHEN group_by OPERATOR(pg_catalog.=) 'document' THEN {by_document} END;
    own_encoder CONSTANT pg_catalog.jsonb := {encoder};
BEGIN
    IF statement IS NULL THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(pg_catalog.quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 OR candidates IS NULL OR candidates OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF pgencoder.comparable(query_encoder) OPERATOR(pg_catalog.<>) pgencoder.comparable(own_encoder) THEN
        RAISE EXCEPTION '% was encoded by %, the query by %', {generation}, own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder.check_source({name}, {number}, {source_name});
    RETURN QUERY EXECUTE statement USING {arguments};
END
