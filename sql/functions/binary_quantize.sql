CREATE OR REPLACE FUNCTION pgencoder.binary_quantize(tokens halfvec[]) RETURNS bit[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT array(SELECT binary_quantize(token) FROM unnest(tokens) WITH ORDINALITY AS t(token, n) ORDER BY n);
END;
COMMENT ON FUNCTION pgencoder.binary_quantize(halfvec[]) IS 'The signs of each token: 1 where positive';
