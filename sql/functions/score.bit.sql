-- What a search calls, so that its statement is the same with either kernel.
CREATE OR REPLACE FUNCTION pgencoder.score(query halfvec[], document bit[]) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 40000
BEGIN ATOMIC
    SELECT pgencoder.maxsim(pgencoder.binary_quantize(query), document);
END;
COMMENT ON FUNCTION pgencoder.score(halfvec[], bit[]) IS
    'The MaxSim that searches use for tokens of this type: symmetric in pure SQL, asymmetric in the native kernel';
