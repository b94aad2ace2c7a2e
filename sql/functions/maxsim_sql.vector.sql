-- Eight query tokens share each pass over the document: reading a row costs the executor as much as two products.
-- Beyond the query's end q[n] is NULL: such a pair is skipped by min() and counts 0.
CREATE OR REPLACE FUNCTION pgencoder.maxsim_sql(query vector[], document vector[]) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
BEGIN ATOMIC
    SELECT CASE WHEN bool_and(complete) THEN -sum(distance)
                WHEN count(*) > 0 THEN pgencoder.reject_tokens(query, document) END
    FROM (
        SELECT valid, q[n] AS q1, q[n + 1] AS q2, q[n + 2] AS q3, q[n + 3] AS q4,
               q[n + 4] AS q5, q[n + 5] AS q6, q[n + 6] AS q7, q[n + 7] AS q8
        FROM (SELECT q, array_position(q, NULL) IS NULL AS valid
              FROM (SELECT array(SELECT unnest(query)) AS q OFFSET 0) AS flat OFFSET 0) AS checked,
             generate_series(1, cardinality(q), 8) AS n
        OFFSET 0
    ) AS eight,
    LATERAL (
        SELECT valid AND count(token) = count(*) AS complete,
               min(token <#> q1) + coalesce(min(token <#> q2), 0) + coalesce(min(token <#> q3), 0)
                   + coalesce(min(token <#> q4), 0) + coalesce(min(token <#> q5), 0) + coalesce(min(token <#> q6), 0)
                   + coalesce(min(token <#> q7), 0) + coalesce(min(token <#> q8), 0) AS distance
        FROM unnest(document) AS token
    ) AS pass;
END;
COMMENT ON FUNCTION pgencoder.maxsim_sql(vector[], vector[]) IS 'maxsim() in pure SQL';
