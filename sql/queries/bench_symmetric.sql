-- Computes MaxSim of 1-bit tokens in pure SQL, independent of the kernel that the database uses
CREATE FUNCTION pg_temp.symmetric(query {vector}.halfvec[], document pg_catalog."bit"[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgencoder._maxsim_sql(pgencoder.binary_quantize(query), document)
