CREATE OR REPLACE FUNCTION pgencoder.maxsim(query {vector}.halfvec[], document bit[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
RETURN pgencoder._maxsim_sql(query, document);
COMMENT ON FUNCTION pgencoder.maxsim({vector}.halfvec[], bit[]) IS
    'Asymmetric MaxSim: the query keeps its floats, a document token is its signs, of length 1 (native kernel only)';
