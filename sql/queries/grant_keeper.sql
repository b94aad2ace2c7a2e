-- The owner of the schema, who does not own these, may call them, and lets workers call them
DECLARE
    keeper CONSTANT pg_catalog.name := (
        SELECT r.rolname FROM pg_catalog.pg_namespace n
        JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgencoder');
BEGIN
    IF keeper OPERATOR(pg_catalog.<>) CURRENT_USER THEN
        EXECUTE pg_catalog.concat('GRANT EXECUTE ON FUNCTION ', {functions}, ' TO ', pg_catalog.quote_ident(keeper),
            ' WITH GRANT OPTION');
    END IF;
END
