CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs(query halfvec[], document bit[])
RETURNS TABLE (query_token int, document_token int, similarity float8)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 32
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim_pairs(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, use pgencoder.maxsim_pairs(pgencoder.binary_quantize(query), document).';
END
$$;
COMMENT ON FUNCTION pgencoder.maxsim_pairs(halfvec[], bit[]) IS
    'Asymmetric pairs: the query keeps its floats, a document token is its signs (native kernel only)';
