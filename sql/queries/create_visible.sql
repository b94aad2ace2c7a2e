-- Planned as part of the statement that asks, as if the policy named the columns of the table, on which it does not depend
CREATE OR REPLACE FUNCTION {rows}() RETURNS TABLE ({outputs})
LANGUAGE sql STABLE ROWS 10000
AS {rows_body};
COMMENT ON FUNCTION {rows}() IS {rows_comment};
-- For those whom row level security of the source concerns: as themselves, and only what the row holds now. A passage may be
-- older than its row, and then of content that was never theirs to see. The path is the caller's: a policy of the source
-- may call functions by their plain names.
CREATE OR REPLACE FUNCTION {visible}({key_types}, pg_catalog.bytea) RETURNS boolean
LANGUAGE plpgsql STABLE
    {text_settings}
AS {visible_body};
COMMENT ON FUNCTION {visible}({key_types}, pg_catalog.bytea) IS {visible_comment};
