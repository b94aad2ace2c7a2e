CREATE OR REPLACE FUNCTION pgencoder._check_active(active pg_catalog.jsonb, expected pg_catalog.jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    encoder pg_catalog.jsonb;
    others pg_catalog.jsonb;
BEGIN
    -- nearly always, and each search pays for it
    IF active OPERATOR(pg_catalog.=) expected THEN
        RETURN pgencoder._check_source(active OPERATOR(pg_catalog.->>) 'collection',
            (active OPERATOR(pg_catalog.->>) 'generation')::int, active OPERATOR(pg_catalog.->>) 'source');
    END IF;
    encoder := expected OPERATOR(pg_catalog.->) 'encoder';
    others := expected OPERATOR(pg_catalog.-) 'encoder';
    IF pgencoder._comparable(encoder)
        OPERATOR(pg_catalog.<>) pgencoder._comparable(active OPERATOR(pg_catalog.->) 'encoder') THEN
        RAISE EXCEPTION 'generation % of % was encoded by %, the query by %', active OPERATOR(pg_catalog.->>) 'generation',
            active OPERATOR(pg_catalog.->>) 'collection', active OPERATOR(pg_catalog.->) 'encoder', encoder
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Encode the query with the model of the active generation.';
    END IF;
    IF NOT (active OPERATOR(pg_catalog.@>) others) THEN
        RAISE EXCEPTION 'the collection % has %, not %', active OPERATOR(pg_catalog.->>) 'collection',
            active OPERATOR(pg_catalog.-) 'encoder', others
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Name the collection of the table that is meant: select(..., collection=...).';
    END IF;
    RETURN pgencoder._check_source(active OPERATOR(pg_catalog.->>) 'collection',
        (active OPERATOR(pg_catalog.->>) 'generation')::int, active OPERATOR(pg_catalog.->>) 'source');
END
$$;
COMMENT ON FUNCTION pgencoder._check_active(pg_catalog.jsonb, pg_catalog.jsonb) IS
    'Returns true, or raises an error if the active generation, as <name>_active() describes it, has another number,'
    ' encoder, source table or key than the given ones, or if another table has the name of its table now';
