CREATE OR REPLACE FUNCTION pgencoder._distance(one {vector}.sparsevec, other {vector}.sparsevec) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN one OPERATOR({vector}.<#>) other;
COMMENT ON FUNCTION pgencoder._distance({vector}.sparsevec, {vector}.sparsevec) IS
    'The negative inner product of sparse vectors';
