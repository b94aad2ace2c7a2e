-- Run as their owner, who owns the table: a worker reads every row, whatever row level security says of its own role.
-- With row_security off, a policy that holds for the owner too is an error, and not rows that seem to be gone.
CREATE OR REPLACE FUNCTION {read}({key_arrays}, bytes bigint)
RETURNS TABLE (n int, content pg_catalog.text, {outputs})
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 SET search_path = pg_catalog, pg_temp
    {text_settings} SET row_security = off
AS {read_body};
CREATE OR REPLACE FUNCTION {scan}(after pg_catalog.text[], count int, hashed boolean)
RETURNS TABLE ({outputs}, row_hash pg_catalog.bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000 SET search_path = pg_catalog, pg_temp
    {text_settings} SET row_security = off
AS {scan_body};
REVOKE ALL ON FUNCTION {read}({key_array_types}, bigint), {scan}(pg_catalog.text[], int, boolean) FROM PUBLIC;
COMMENT ON FUNCTION {read}({key_array_types}, bigint) IS {read_comment};
COMMENT ON FUNCTION {scan}(pg_catalog.text[], int, boolean) IS {scan_comment};
