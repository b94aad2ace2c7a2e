CREATE OR REPLACE FUNCTION pgencoder.check_encoder(active jsonb, query_encoder jsonb, source text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    -- where the weights are known by hash, it does not matter from which path they were loaded
    hidden CONSTANT text[] := CASE WHEN query_encoder ->> 'weights' IS NOT NULL THEN '{model,token_model}' ELSE '{}' END;
BEGIN
    IF query_encoder - hidden <> (active -> 'encoder') - hidden THEN
        RAISE EXCEPTION 'generation % of % was encoded by %, the query by %', active ->> 'generation',
            active ->> 'collection', active -> 'encoder', query_encoder
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Encode the query with the model of the active generation.';
    END IF;
    IF source <> active ->> 'source' THEN
        RAISE EXCEPTION 'the collection % is of the table %, not of %', active ->> 'collection', active ->> 'source', source
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the collection of that table: select(..., collection=...).';
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION pgencoder.check_encoder(jsonb, jsonb, text) IS
    'True, or an error if the active generation, as its function <name>_active() describes it, has another encoder or is'
    ' of another table; NULL is not checked';
