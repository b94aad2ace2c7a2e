DROP POLICY IF EXISTS source_row ON {passages};
DROP POLICY IF EXISTS {policy} ON {passages};
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
-- The policy depends on the table, so that a DROP TABLE reports it, but on none of its columns. It shows nothing if another
-- table has that name now. A condition that is the same for all rows is a subquery, which runs once. All is one CASE: for a
-- comparison the planner would expect that few rows pass, and would not use the index.
CREATE POLICY {policy} ON {passages} FOR SELECT USING (
    {is_visible}
);
