(pg_catalog.pg_stat_get_tuples_inserted({passages_name}::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated({passages_name}::pg_catalog.regclass::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted({passages_name}::pg_catalog.regclass::pg_catalog.oid))
