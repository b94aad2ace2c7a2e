CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs(query bit[], document bit[])
RETURNS TABLE (query_token int, document_token int, similarity float8)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 32
BEGIN ATOMIC
    SELECT i::int, best.j::int, 1 - 2 * best.distance / length(q.v)
    FROM unnest(query) WITH ORDINALITY AS q(v, i),
         LATERAL (SELECT j, d <~> q.v AS distance FROM unnest(document) WITH ORDINALITY AS t(d, j)
                  ORDER BY d <~> q.v, j LIMIT 1) AS best
    WHERE pgencoder.maxsim(query, document) IS NOT NULL
    ORDER BY i;
END;
COMMENT ON FUNCTION pgencoder.maxsim_pairs(bit[], bit[]) IS
    'For each query token the document token it matched best, both from 1; the similarities add up to maxsim()';
