-- Eight query tokens share each pass over the document, because reading a row costs as much as two products.
-- After the last query token q[n] is NULL: min() skips it, and it counts 0.
CREATE OR REPLACE FUNCTION pgencoder._maxsim_sql(query {vector}.halfvec[], document {vector}.halfvec[])
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
BEGIN ATOMIC
    SELECT CASE WHEN pg_catalog.bool_and(complete) THEN OPERATOR(pg_catalog.-) pg_catalog.sum(distance)
                WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 THEN pgencoder._reject_tokens(query, document) END
    FROM (
        SELECT valid,
               q[n] AS q1, q[n OPERATOR(pg_catalog.+) 1] AS q2,
               q[n OPERATOR(pg_catalog.+) 2] AS q3, q[n OPERATOR(pg_catalog.+) 3] AS q4,
               q[n OPERATOR(pg_catalog.+) 4] AS q5, q[n OPERATOR(pg_catalog.+) 5] AS q6,
               q[n OPERATOR(pg_catalog.+) 6] AS q7, q[n OPERATOR(pg_catalog.+) 7] AS q8
        FROM (SELECT q, pg_catalog.array_position(q, NULL) IS NULL AS valid
              FROM (SELECT array(SELECT pg_catalog.unnest(query)) AS q OFFSET 0) AS flat OFFSET 0) AS checked,
             pg_catalog.generate_series(1, pg_catalog.cardinality(q), 8) AS n
        OFFSET 0
    ) AS eight,
    LATERAL (
        SELECT valid AND pg_catalog.count(token) OPERATOR(pg_catalog.=) pg_catalog.count(*) AS complete,
               pg_catalog.min(token OPERATOR({vector}.<#>) q1) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q2), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q3), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q4), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q5), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q6), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q7), 0) OPERATOR(pg_catalog.+)
                   coalesce(pg_catalog.min(token OPERATOR({vector}.<#>) q8), 0) AS distance
        FROM pg_catalog.unnest(document) AS token
    ) AS pass;
END;
COMMENT ON FUNCTION pgencoder._maxsim_sql({vector}.halfvec[], {vector}.halfvec[]) IS 'maxsim() in pure SQL';
