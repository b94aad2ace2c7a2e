CREATE OR REPLACE FUNCTION pgencoder.query_tokens(numbers real[], dims int) RETURNS halfvec[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT array(
        SELECT numbers[first : first + dims - 1]::halfvec
        FROM generate_series(1, cardinality(numbers), greatest(dims, 1)) AS first ORDER BY first
    );
END;
COMMENT ON FUNCTION pgencoder.query_tokens(real[], int) IS
    'Token vectors from their numbers, one after the other, which every driver can send in binary';
