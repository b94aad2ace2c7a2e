CREATE OR REPLACE FUNCTION pgencoder.maxsim(query bit[], document bit[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
RETURN pgencoder._maxsim_sql(query, document);
COMMENT ON FUNCTION pgencoder.maxsim(bit[], bit[]) IS
    'MaxSim of 1-bit tokens: sum over query tokens of the largest (d - 2 * hamming distance) / d';
