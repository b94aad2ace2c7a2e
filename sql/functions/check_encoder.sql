CREATE OR REPLACE FUNCTION pgencoder.check_encoder(name text, query_encoder jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    own record;
    -- where the weights are known by hash, it does not matter from which path they were loaded
    hidden CONSTANT text[] := CASE WHEN query_encoder ->> 'weights' IS NOT NULL THEN '{model,token_model}' ELSE '{}' END;
BEGIN
    SELECT g.number, g.encoder INTO own FROM pgencoder.generation g WHERE g.collection = name AND g.state = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no collection %', name USING ERRCODE = 'undefined_object';
    END IF;
    IF query_encoder - hidden IS DISTINCT FROM own.encoder - hidden THEN
        RAISE EXCEPTION 'generation % of % was encoded by %, the query by %', own.number, name,
            own.encoder, query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION pgencoder.check_encoder(text, jsonb) IS
    'True, or an error that names both if the active generation of a collection has another encoder';
