CREATE OR REPLACE FUNCTION pgencoder._bm25_length(weights {vector}.sparsevec) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN 0 OPERATOR(pg_catalog.-) (weights OPERATOR({vector}.<#>) '{{536870913:1}}/536870913'::{vector}.sparsevec);
COMMENT ON FUNCTION pgencoder._bm25_length({vector}.sparsevec) IS
    'The number of terms of a passage that is stored for BM25, each as often as it occurs';
