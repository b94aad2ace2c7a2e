-- It runs as the owner, because the counts say of terms if any passage has them
CREATE OR REPLACE FUNCTION {sparse}(query {vector}.sparsevec) RETURNS TABLE (
    weights {vector}.sparsevec, highest double precision, any_1 int[], any_2 int[], any_3 int[], every int[],
    complete boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp SET jit = off
AS {body};
COMMENT ON FUNCTION {sparse}({vector}.sparsevec) IS {comment};
REVOKE ALL ON FUNCTION {sparse}({vector}.sparsevec) FROM PUBLIC;
