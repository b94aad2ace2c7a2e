DECLARE
    relation regclass;
BEGIN
    FOR relation IN WITH RECURSIVE tree (oid) AS (
        SELECT {source_name}::regclass::oid
        UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
    ) SELECT c.oid FROM tree JOIN pg_class c ON c.oid = tree.oid AND c.relkind IN ('r', 'p') LOOP
        EXECUTE replace({statements}, '/* relation */', relation::text);
    END LOOP;
END
