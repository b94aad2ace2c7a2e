-- The statement that is asked for most is planned once in a session. It has no variables by their names, which may be those of
-- columns, and its LIMIT is a literal: a plan for all values would leave the index aside. The others are put together.
#variable_conflict use_column
DECLARE
    statement pg_catalog.text;
    wanted pg_catalog.text;
    boosted pg_catalog.text;
    fused pg_catalog.text;
    relevant pg_catalog.text;
    missing pg_catalog.text;
    is_usual CONSTANT boolean := fusion IS NULL AND weights IS NULL AND boost IS NULL AND min_relevance IS NULL;
    own_encoder CONSTANT pg_catalog.jsonb := {encoder};
BEGIN
    IF (group_by OPERATOR(pg_catalog.=) ANY (ARRAY['passage', 'document'])) IS NOT TRUE THEN
        RAISE EXCEPTION 'group_by is %, not passage or document', coalesce(pg_catalog.quote_literal(group_by), 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF k IS NULL OR k OPERATOR(pg_catalog.<) 1 OR candidates IS NULL OR candidates OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'k and candidates must be at least 1, got % and %', k, candidates
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF query_encoder IS NOT NULL
        AND pgencoder._comparable(query_encoder) OPERATOR(pg_catalog.<>) pgencoder._comparable(own_encoder) THEN
        RAISE EXCEPTION '% was encoded by %, the query by %', {generation}, own_encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    PERFORM pgencoder._check_source({name}, {number}, {source_name});
    -- without words and sparse vectors, what ranks without them is better than the fusion
    fusion := coalesce(fusion, CASE WHEN query_text IS NULL AND query_sparse IS NULL AND weights IS NULL
            THEN CASE WHEN query_tokens IS NULL AND query_dense IS NOT NULL THEN {fusion_without_tokens}
                ELSE {fusion_without_terms} END
        WHEN weights IS NULL THEN {usual_fusion} ELSE 'zscore' END);
    PERFORM pgencoder._check_fusion(fusion, weights, {scores});
    missing := CASE WHEN query_dense IS NULL AND query_tokens IS NULL AND query_text IS NULL AND query_sparse IS NULL
        THEN 'query_dense, query_tokens, query_text or query_sparse' ELSE {missing} END;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'there is nothing to rank by: % is NULL', missing USING ERRCODE = 'null_value_not_allowed',
            HINT = 'Give it, or choose another fusion.';
    END IF;
    weights := coalesce(weights, {usual_weights});
    IF filter IS NULL AND is_usual AND fusion OPERATOR(pg_catalog.=) {usual_fusion}
        AND group_by OPERATOR(pg_catalog.=) 'passage' AND greatest(k, candidates) OPERATOR(pg_catalog.=) {usual_candidates} THEN
        RETURN QUERY {usual};
        RETURN;
    END IF;
    -- on separate lines, because it may end with a comment
    wanted := E'\n' OPERATOR(pg_catalog.||) coalesce(filter, 'true') OPERATOR(pg_catalog.||) E'\n';
    boosted := E'\n' OPERATOR(pg_catalog.||) coalesce(boost, '0') OPERATOR(pg_catalog.||) E'\n';
    fused := {fused};
    relevant := {relevant};
    statement := CASE WHEN group_by OPERATOR(pg_catalog.=) 'passage' THEN {by_passage} ELSE {by_document} END;
    RETURN QUERY EXECUTE statement USING {arguments};
END
