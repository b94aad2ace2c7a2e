CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs_sql(query vector[], document vector[])
RETURNS TABLE (query_token int, document_token int, similarity float8)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32
BEGIN ATOMIC
    SELECT i::int, best.j::int, -best.distance
    FROM unnest(query) WITH ORDINALITY AS q(v, i),
         LATERAL (SELECT j, d <#> q.v AS distance FROM unnest(document) WITH ORDINALITY AS t(d, j)
                  ORDER BY d <#> q.v, j LIMIT 1) AS best
    WHERE pgencoder.maxsim_sql(query, document) IS NOT NULL
    ORDER BY i;
END;
COMMENT ON FUNCTION pgencoder.maxsim_pairs_sql(vector[], vector[]) IS 'maxsim_pairs() in pure SQL';
