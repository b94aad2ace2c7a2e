DROP POLICY IF EXISTS source_row ON {passages};
DROP POLICY IF EXISTS {policy} ON {passages};
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
-- It depends on the table, which nobody drops without being told, and on none of its columns. It shows nothing where the
-- table of that name is another one.
CREATE POLICY {policy} ON {passages} FOR SELECT USING (
    {source_name}::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass({source_name})
    AND CASE WHEN pg_catalog.row_security_active({source_name}::pg_catalog.regclass) THEN {visible}({passage_key}, row_hash)
        ELSE EXISTS (SELECT FROM {rows}() AS source ({claim_columns}) WHERE {row_is_passage}) END
);
