CREATE OR REPLACE FUNCTION pgencoder.check_active(active jsonb, expected jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    encoder CONSTANT jsonb := expected -> 'encoder';
    others CONSTANT jsonb := expected - 'encoder';
    -- where the weights are known by hash, it does not matter from which path they were loaded
    hidden CONSTANT text[] := CASE WHEN encoder ->> 'weights' IS NOT NULL THEN '{model,token_model}' ELSE '{}' END;
BEGIN
    IF encoder - hidden <> (active -> 'encoder') - hidden THEN
        RAISE EXCEPTION 'generation % of % was encoded by %, the query by %', active ->> 'generation',
            active ->> 'collection', active -> 'encoder', encoder
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Encode the query with the model of the active generation.';
    END IF;
    IF NOT active @> others THEN
        RAISE EXCEPTION 'the collection % has %, not %', active ->> 'collection', active - 'encoder', others
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Name the collection of the table that is meant: select(..., collection=...).';
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION pgencoder.check_active(jsonb, jsonb) IS
    'True, or an error if the active generation, as its function <name>_active() describes it, is not as expected: its'
    ' number, encoder, source table and key, as far as those are given';
