CREATE OR REPLACE FUNCTION pgencoder._check_fusion(
    fusion pg_catalog.text, weights pg_catalog.jsonb, scores pg_catalog.text[]
) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF fusion OPERATOR(pg_catalog.<>) ALL (ARRAY['zscore', 'rrf']) AND fusion OPERATOR(pg_catalog.<>) ALL (scores) THEN
        RAISE EXCEPTION 'fusion is %, not zscore, rrf or one of %', pg_catalog.quote_literal(fusion),
            pg_catalog.array_to_string(scores, ', ') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF weights IS NULL THEN
        RETURN;
    END IF;
    IF fusion OPERATOR(pg_catalog.=) ANY (scores) THEN
        RAISE EXCEPTION 'weights are for zscore and rrf; % takes one score alone', fusion
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF pg_catalog.jsonb_typeof(weights) OPERATOR(pg_catalog.<>) 'object' OR EXISTS (
        SELECT FROM pg_catalog.jsonb_each(weights) AS w
        WHERE w.key OPERATOR(pg_catalog.<>) ALL (scores) OR pg_catalog.jsonb_typeof(w.value) OPERATOR(pg_catalog.<>) 'number'
            OR w.value OPERATOR(pg_catalog.<) '0'::pg_catalog.jsonb
    ) OR NOT EXISTS (
        SELECT FROM pg_catalog.jsonb_each(weights) AS w WHERE w.value OPERATOR(pg_catalog.>) '0'::pg_catalog.jsonb
    ) THEN
        RAISE EXCEPTION 'weights are %, not numbers of at least 0, one of them above 0, by the names %', weights,
            pg_catalog.array_to_string(scores, ', ') USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION pgencoder._check_fusion(pg_catalog.text, pg_catalog.jsonb, pg_catalog.text[]) IS
    'Raises an error for a fusion that a search cannot do, or for weights that are none';
