CREATE OR REPLACE FUNCTION pgencoder.maxsim(query {vector}.halfvec[], document {vector}.halfvec[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
RETURN pgencoder._maxsim_sql(query, document);
COMMENT ON FUNCTION pgencoder.maxsim({vector}.halfvec[], {vector}.halfvec[]) IS
    'sum over query tokens of the largest inner product with a document token (ColBERT, Khattab and Zaharia 2020)';
