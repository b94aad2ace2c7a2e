-- Under row level security Postgres uses no index for a condition of the search, because its operator is not leakproof. This
-- view reads with its owner's rights and has that condition inside, then that of the policy, which is checked for the best
-- passages first, until there are enough. It shows less than the passages do. A search sets what it asks for; wrong
-- settings fail before a row is read, so that an error tells nothing of rows.
CREATE OR REPLACE VIEW {by} WITH (security_barrier = true) AS
SELECT {key}, passage, distance
FROM (
    SELECT {passage_key}, passages.passage, passages.row_hash, {distance} AS distance FROM {passages} AS passages
    WHERE {candidates}
    ORDER BY distance
) AS passages
WHERE CASE WHEN NOT (SELECT pg_catalog.row_security_active({passages_name}::pg_catalog.regclass)) THEN true
    ELSE {is_visible} END;
COMMENT ON VIEW {by} IS {comment};
