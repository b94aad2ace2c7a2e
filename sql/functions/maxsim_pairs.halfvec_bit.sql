CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs(query {vector}.halfvec[], document bit[])
RETURNS TABLE (query_token int, document_token int, similarity double precision)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32
BEGIN ATOMIC
    SELECT * FROM pgencoder._maxsim_pairs_sql(query, document);
END;
COMMENT ON FUNCTION pgencoder.maxsim_pairs({vector}.halfvec[], bit[]) IS
    'Asymmetric pairs: the query keeps its floats, a document token is its signs (native kernel only)';
