CREATE OR REPLACE FUNCTION pgencoder._query_dense(dims real[]) RETURNS {vector}.halfvec
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN dims::{vector}.halfvec;
COMMENT ON FUNCTION pgencoder._query_dense(real[]) IS
    'A vector from an array of numbers, which every driver can send without pgvector';
