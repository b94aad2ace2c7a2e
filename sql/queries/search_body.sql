DECLARE
    statement text := CASE coalesce(group_by, '') WHEN 'passage' THEN {by_passage} WHEN 'document' THEN {by_document} END;
    own_encoder CONSTANT jsonb := {encoder};
BEGIN
    IF statement IS NULL THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k < 1 OR candidates IS NULL OR candidates < 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF query_encoder <> own_encoder THEN
        RAISE EXCEPTION '% was encoded by %, the query by %', {generation}, own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    RETURN QUERY EXECUTE replace(statement, {marker}, E'\n' || coalesce(filter, 'true') || E'\n')
        USING {arguments};
END
