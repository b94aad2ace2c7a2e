-- A search calls this function, so that its statement is the same with both kernels. kernel() is a constant for the
-- planner, so only one of the two calls remains. Not STRICT, because then the CASE would not be inlined.
CREATE OR REPLACE FUNCTION pgencoder._score(query {vector}.halfvec[], document bit[]) RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE COST 40000
RETURN CASE WHEN pgencoder.kernel() OPERATOR(pg_catalog.=) 'native' THEN pgencoder.maxsim(query, document)
            ELSE pgencoder.maxsim(pgencoder.binary_quantize(query), document) END;
COMMENT ON FUNCTION pgencoder._score({vector}.halfvec[], bit[]) IS
    'MaxSim as searches use it for tokens of this type: symmetric in pure SQL, asymmetric in the native kernel';
