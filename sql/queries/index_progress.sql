SELECT phase, tuples_done, tuples_total FROM pg_catalog.pg_stat_progress_create_index
WHERE relid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
