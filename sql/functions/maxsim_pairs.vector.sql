CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs(query {vector}.vector[], document {vector}.vector[])
RETURNS TABLE (query_token int, document_token int, similarity double precision)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32
BEGIN ATOMIC
    SELECT * FROM pgencoder._maxsim_pairs_sql(query, document);
END;
COMMENT ON FUNCTION pgencoder.maxsim_pairs({vector}.vector[], {vector}.vector[]) IS
    'For each query token the document token it matched best, both from 1; the similarities add up to maxsim()';
