-- Runs as its owner, because an application that writes to the source has no rights here; hence the pinned path.
-- The settings make keys and contents the same text in every session.
-- Dynamic SQL on purpose: a plan kept from a statement that changed one row would be a nested loop for one that
-- changes a hundred thousand.
CREATE OR REPLACE FUNCTION {function}() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    {text_settings}
AS {body};
COMMENT ON FUNCTION {function}() IS {comment};
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
