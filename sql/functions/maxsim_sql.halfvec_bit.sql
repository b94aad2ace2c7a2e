CREATE OR REPLACE FUNCTION pgencoder.maxsim_sql(query halfvec[], document bit[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 40000
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;
COMMENT ON FUNCTION pgencoder.maxsim_sql(halfvec[], bit[]) IS 'maxsim() in pure SQL';
