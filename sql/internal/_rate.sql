-- Any worker writes these values: a value that is not a number of rows gives no rate, and no error.
CREATE OR REPLACE FUNCTION pgencoder._rate(rates pg_catalog.jsonb, passages pg_catalog.text DEFAULT NULL)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.sum(
        CASE WHEN each.number OPERATOR(pg_catalog.>) 0 THEN least(each.number, 1e9)::double precision END), 0)
    FROM (
        SELECT CASE WHEN pg_catalog.jsonb_typeof(rate.value) OPERATOR(pg_catalog.=) 'number'
            THEN rate.value::pg_catalog.numeric END AS number
        FROM pg_catalog.jsonb_each(CASE WHEN pg_catalog.jsonb_typeof(rates) OPERATOR(pg_catalog.=) 'object' THEN rates END)
            AS rate (name, value)
        WHERE passages IS NULL OR rate.name OPERATOR(pg_catalog.=) passages
    ) AS each;
END;
COMMENT ON FUNCTION pgencoder._rate(pg_catalog.jsonb, pg_catalog.text) IS
    'The rows per second of a worker, for one passages table or for all';
