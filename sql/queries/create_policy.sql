DROP POLICY IF EXISTS source_row ON {passages};
DROP POLICY IF EXISTS {policy} ON {passages};
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
-- It depends on the table, which nobody drops without being told, and on none of its columns. It shows nothing where the
-- table of that name is another one. What is the same for all rows is a subquery, asked once; all is one CASE, because of a
-- comparison the planner would think that few rows pass, and leave the index aside.
CREATE POLICY {policy} ON {passages} FOR SELECT USING (
    CASE WHEN (SELECT ({source_name}::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass({source_name}))
            IS NOT TRUE) THEN false
        WHEN (SELECT pg_catalog.row_security_active({source_name}::pg_catalog.regclass))
            THEN {visible}({passage_key}, row_hash)
        ELSE EXISTS (SELECT FROM {rows}() AS source ({claim_columns}) WHERE {row_is_passage}) END
);
