CREATE OR REPLACE FUNCTION pgencoder._distance(dense {vector}.halfvec, query {vector}.halfvec) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN dense OPERATOR({vector}.<#>) query;
COMMENT ON FUNCTION pgencoder._distance({vector}.halfvec, {vector}.halfvec) IS
    'The negative inner product; inlined, so that ORDER BY uses the HNSW index, in whatever schema pgvector is';
