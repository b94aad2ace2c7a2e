-- A function with constants, because the catalogue could be of another snapshot than the view, which is always current
CREATE OR REPLACE FUNCTION {active}() RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN {description}::pg_catalog.jsonb;
COMMENT ON FUNCTION {active}() IS {comment};
REVOKE ALL ON FUNCTION {active}() FROM PUBLIC;
