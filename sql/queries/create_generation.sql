-- A worker that does not own the passages writes through this view: a view reads and writes with its owner's rights, so
-- row level security of the passages applies only to searches. COPY into a view needs the trigger, which makes what is
-- made of words: of `whole`, where `content` is cut at the model's limit.
CREATE OR REPLACE VIEW {write} AS SELECT *, NULL::pg_catalog.text AS whole FROM {passages};
CREATE OR REPLACE FUNCTION {write}() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS {write_body};
CREATE OR REPLACE TRIGGER write INSTEAD OF INSERT ON {write} FOR EACH ROW EXECUTE FUNCTION {write}();
REVOKE ALL ON FUNCTION {write}() FROM PUBLIC;
CREATE OR REPLACE FUNCTION {build}() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS {build_body};
REVOKE ALL ON FUNCTION {build}() FROM PUBLIC;
CREATE OR REPLACE FUNCTION {count}() RETURNS pg_catalog.void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS {count_body};
REVOKE ALL ON FUNCTION {count}() FROM PUBLIC;
COMMENT ON VIEW {write} IS {comment};
COMMENT ON FUNCTION {write}() IS {comment};
COMMENT ON FUNCTION {build}() IS {comment};
COMMENT ON FUNCTION {count}() IS {comment};
