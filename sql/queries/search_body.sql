DECLARE
    statement text := CASE coalesce(group_by, '') WHEN 'passage' THEN {by_passage} WHEN 'document' THEN {by_document} END;
BEGIN
    IF statement IS NULL THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k < 1 OR candidates IS NULL OR candidates < 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY EXECUTE replace(statement, {marker}, E'\n' || coalesce(filter, 'true') || E'\n')
        USING {arguments};
END
