CREATE OR REPLACE FUNCTION pgencoder.distance(dense halfvec, query halfvec) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN dense <#> query;
COMMENT ON FUNCTION pgencoder.distance(halfvec, halfvec) IS
    'The negative inner product; inlined, so that ORDER BY uses the HNSW index wherever pgvector lives';
