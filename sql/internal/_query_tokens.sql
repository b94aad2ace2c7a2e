CREATE OR REPLACE FUNCTION pgencoder._query_tokens(numbers real[], dims int) RETURNS {vector}.halfvec[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT array(
        SELECT numbers[first : (first OPERATOR(pg_catalog.+) dims) OPERATOR(pg_catalog.-) 1]::{vector}.halfvec
        FROM pg_catalog.generate_series(1, pg_catalog.cardinality(numbers), greatest(dims, 1)) AS first ORDER BY first
    );
END;
COMMENT ON FUNCTION pgencoder._query_tokens(real[], int) IS
    'Token vectors from one array with all their numbers, which every driver can send without pgvector';
