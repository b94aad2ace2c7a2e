DROP FUNCTION IF EXISTS {changed}() CASCADE;
DROP FUNCTION IF EXISTS {read}({arrays}, bigint), {scan}(pg_catalog.text[], int, boolean)
