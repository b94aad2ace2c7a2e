CREATE OR REPLACE FUNCTION pgencoder.score(query halfvec[], document halfvec[]) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
RETURN pgencoder.maxsim(query, document);
COMMENT ON FUNCTION pgencoder.score(halfvec[], halfvec[]) IS 'The MaxSim that searches use for tokens of this type';
