-- It runs as the owner, because the counts say of words if any passage has them
CREATE OR REPLACE FUNCTION {lexical}(query pg_catalog.text) RETURNS TABLE (
    weights {vector}.sparsevec, units {vector}.sparsevec[], impacts double precision[], mean_length double precision,
    highest double precision, any_1 int[], any_2 int[], any_3 int[], every int[], complete boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
AS {body};
COMMENT ON FUNCTION {lexical}(pg_catalog.text) IS {comment};
REVOKE ALL ON FUNCTION {lexical}(pg_catalog.text) FROM PUBLIC;
