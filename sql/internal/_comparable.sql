CREATE OR REPLACE FUNCTION pgencoder._comparable(encoder pg_catalog.jsonb) RETURNS pg_catalog.jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN pg_catalog.jsonb_typeof(encoder) OPERATOR(pg_catalog.=) 'object'
    THEN encoder OPERATOR(pg_catalog.-) ARRAY(
        SELECT names.name
        FROM (VALUES ('model', 'weights'), ('token_model', 'token_weights'), ('sparse_model', 'sparse_weights')) AS names (name, hash)
        WHERE NOT (coalesce(encoder OPERATOR(pg_catalog.->) names.hash, 'null'::pg_catalog.jsonb)
            OPERATOR(pg_catalog.=) ANY (ARRAY['null', '""', '[]', '{{}}', 'false', '0']::pg_catalog.jsonb[]))
    ) ELSE encoder END;
COMMENT ON FUNCTION pgencoder._comparable(pg_catalog.jsonb) IS
    'The part of a fingerprint that is equal for equal encoders; without the names of models whose weights have a hash,'
    ' because the path of the weights does not matter';
