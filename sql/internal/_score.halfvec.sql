CREATE OR REPLACE FUNCTION pgencoder._score(query {vector}.halfvec[], document {vector}.halfvec[])
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
RETURN pgencoder.maxsim(query, document);
COMMENT ON FUNCTION pgencoder._score({vector}.halfvec[], {vector}.halfvec[]) IS
    'MaxSim as searches use it for tokens of this type';
