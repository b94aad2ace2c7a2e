-- Inlined into the calling statement, so the policy is planned as if it named the columns, but does not depend on them
CREATE OR REPLACE FUNCTION {rows}() RETURNS TABLE ({outputs})
LANGUAGE sql STABLE ROWS 10000
AS {rows_body};
COMMENT ON FUNCTION {rows}() IS {rows_comment};
-- For roles with row level security on the source: it runs with their rights and shows only the row's present content. A
-- passage may be older than its row and contain text that the role was never allowed to see. The path is the caller's,
-- because a policy of the source may call functions by plain names.
CREATE OR REPLACE FUNCTION {visible}({key_types}, pg_catalog.bytea) RETURNS boolean
LANGUAGE plpgsql STABLE
    {text_settings}
AS {visible_body};
COMMENT ON FUNCTION {visible}({key_types}, pg_catalog.bytea) IS {visible_comment};
