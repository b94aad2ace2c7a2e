-- VOLATILE, or the planner would call it while it folds constants, whatever the CASE around it says.
CREATE OR REPLACE FUNCTION pgencoder.reject_tokens(query anyarray, document anyarray) RETURNS float8
LANGUAGE plpgsql VOLATILE PARALLEL SAFE
AS $$
DECLARE
    at int;
BEGIN
    at := array_position(array(SELECT unnest(query)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'query token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    at := array_position(array(SELECT unnest(document)), NULL);
    IF at IS NOT NULL THEN
        RAISE EXCEPTION 'document token % is NULL', at USING ERRCODE = 'null_value_not_allowed';
    END IF;
    RAISE EXCEPTION 'query tokens have 0 dimensions' USING ERRCODE = 'data_exception';
END
$$;
COMMENT ON FUNCTION pgencoder.reject_tokens(anyarray, anyarray) IS 'Raises the error that says which token is NULL';
