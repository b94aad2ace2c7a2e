CREATE OR REPLACE FUNCTION pgencoder._maxsim_pairs_sql(query {vector}.halfvec[], document bit[])
RETURNS TABLE (query_token int, document_token int, similarity double precision)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 80000 ROWS 32 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim_pairs(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;
COMMENT ON FUNCTION pgencoder._maxsim_pairs_sql({vector}.halfvec[], bit[]) IS 'maxsim_pairs() in pure SQL';
