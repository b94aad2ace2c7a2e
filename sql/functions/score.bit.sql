-- What a search calls, so that its statement is the same with either kernel. kernel() is a constant to the planner,
-- which leaves one of the two calls; not STRICT, because a CASE would then not be inlined.
CREATE OR REPLACE FUNCTION pgencoder.score(query {vector}.halfvec[], document bit[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 40000
RETURN CASE WHEN pgencoder.kernel() OPERATOR(pg_catalog.=) 'native' THEN pgencoder.maxsim(query, document)
            ELSE pgencoder.maxsim(pgencoder.binary_quantize(query), document) END;
COMMENT ON FUNCTION pgencoder.score({vector}.halfvec[], bit[]) IS
    'The MaxSim that searches use for tokens of this type: symmetric in pure SQL, asymmetric in the native kernel';
