CREATE OR REPLACE FUNCTION pgencoder._maxsim_pairs_sql(query {vector}.halfvec[], document {vector}.halfvec[])
RETURNS TABLE (query_token int, document_token int, similarity double precision)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32
BEGIN ATOMIC
    SELECT i::int, best.j::int, OPERATOR(pg_catalog.-) best.distance
    FROM pg_catalog.unnest(query) WITH ORDINALITY AS q(v, i),
         LATERAL (SELECT j, d OPERATOR({vector}.<#>) q.v AS distance
                  FROM pg_catalog.unnest(document) WITH ORDINALITY AS t(d, j)
                  ORDER BY d OPERATOR({vector}.<#>) q.v, j LIMIT 1) AS best
    WHERE pgencoder._maxsim_sql(query, document) IS NOT NULL
    ORDER BY i;
END;
COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql({vector}.halfvec[], {vector}.halfvec[]) IS 'maxsim_pairs() in pure SQL';
