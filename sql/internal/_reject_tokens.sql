-- VOLATILE, because the planner would otherwise call it while it folds constants, despite the CASE around it.
CREATE OR REPLACE FUNCTION pgencoder._reject_tokens(query pg_catalog.anyarray, document pg_catalog.anyarray)
RETURNS double precision
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    at int;
BEGIN
    at := pg_catalog.array_position(array(SELECT pg_catalog.unnest(query)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'query token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    at := pg_catalog.array_position(array(SELECT pg_catalog.unnest(document)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'document token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    RAISE EXCEPTION 'query tokens have 0 dimensions' USING ERRCODE = 'data_exception';
END
$$;
COMMENT ON FUNCTION pgencoder._reject_tokens(pg_catalog.anyarray, pg_catalog.anyarray) IS
    'Raises an error that names the token that is NULL';
