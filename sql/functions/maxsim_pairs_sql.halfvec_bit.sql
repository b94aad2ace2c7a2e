CREATE OR REPLACE FUNCTION pgencoder.maxsim_pairs_sql(query halfvec[], document bit[])
RETURNS TABLE (query_token int, document_token int, similarity float8)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim_pairs(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;
COMMENT ON FUNCTION pgencoder.maxsim_pairs_sql(halfvec[], bit[]) IS 'maxsim_pairs() in pure SQL';
