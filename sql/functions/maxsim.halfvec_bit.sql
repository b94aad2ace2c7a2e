CREATE OR REPLACE FUNCTION pgencoder.maxsim(query halfvec[], document bit[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, score 1-bit tokens with pgencoder.maxsim(pgencoder.binary_quantize(query), document).';
END
$$;
COMMENT ON FUNCTION pgencoder.maxsim(halfvec[], bit[]) IS
    'Asymmetric MaxSim: the query keeps its floats, a document token is its signs, of length 1 (native kernel only)';
