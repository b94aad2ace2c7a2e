-- These run as the owner of the table, so a worker reads every row, independent of row level security for its role.
-- With row_security off, a policy that also applies to the owner raises an error instead of hiding rows.
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
