CREATE OR REPLACE FUNCTION pgencoder._query_sparse(query pg_catalog.text) RETURNS {vector}.sparsevec
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN query::{vector}.sparsevec;
COMMENT ON FUNCTION pgencoder._query_sparse(pg_catalog.text) IS
    'A sparse vector from its text, which every driver can send without pgvector';
