DECLARE
    relation pg_catalog.regclass;
BEGIN
    FOR relation IN WITH RECURSIVE tree (oid) AS (
        SELECT {source_name}::pg_catalog.regclass::pg_catalog.oid
        UNION
        SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) tree.oid
    ) SELECT c.oid FROM tree JOIN pg_catalog.pg_class c
        ON c.oid OPERATOR(pg_catalog.=) tree.oid AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
    LOOP
        EXECUTE {statements};
    END LOOP;
END
