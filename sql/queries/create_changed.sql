-- Runs as its owner, because an application that writes to the source has no rights here; therefore the path is pinned.
-- The settings make keys and contents the same text in every session.
-- Dynamic SQL on purpose: a plan that is kept from a change of one row would be a nested loop for a change of a hundred
-- thousand rows.
CREATE OR REPLACE FUNCTION {function}() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    {text_settings}
AS {body};
COMMENT ON FUNCTION {function}() IS {comment};
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
