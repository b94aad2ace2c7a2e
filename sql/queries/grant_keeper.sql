-- The owner of the schema does not own these functions, but may call them and let workers call them
DECLARE
    keeper CONSTANT pg_catalog.name := (
        SELECT r.rolname FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder');
BEGIN
    IF keeper OPERATOR(pg_catalog.<>) CURRENT_USER THEN
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s(%s, bigint), %s(pg_catalog.text[], int, boolean) TO %I'
            ' WITH GRANT OPTION', {read_name}, {arrays}, {scan_name}, keeper);
    END IF;
END
