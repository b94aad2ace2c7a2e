CREATE OR REPLACE FUNCTION pgencoder._maxsim_sql(query {vector}.halfvec[], document bit[]) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 40000 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'maxsim(halfvec[], bit[]) needs the extension pgencoder_native'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Without it, give the query as bits too: pgencoder.binary_quantize(query).';
END
$$;
COMMENT ON FUNCTION pgencoder._maxsim_sql({vector}.halfvec[], bit[]) IS 'maxsim() in pure SQL';
