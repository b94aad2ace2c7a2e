CREATE OR REPLACE FUNCTION pgencoder.binary_quantize(tokens {vector}.halfvec[]) RETURNS bit[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
BEGIN ATOMIC
    SELECT array(SELECT {vector}.binary_quantize(token)
                 FROM pg_catalog.unnest(tokens) WITH ORDINALITY AS t(token, n) ORDER BY n);
END;
COMMENT ON FUNCTION pgencoder.binary_quantize({vector}.halfvec[]) IS 'The signs of each token: 1 where positive';
