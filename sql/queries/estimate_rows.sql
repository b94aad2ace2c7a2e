-- Estimates the rows of a table and its partitions from the last ANALYZE
SELECT greatest(pg_catalog.sum(reltuples), 0)::bigint FROM pg_catalog.pg_class
WHERE oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) OR oid OPERATOR(pg_catalog.=) ANY (
    SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))
)
