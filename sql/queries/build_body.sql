BEGIN
    -- the graph is built in memory as long as it fits
    PERFORM pg_catalog.set_config('maintenance_work_mem', (
        SELECT greatest(64, least(1024, (pg_catalog.count(*) OPERATOR(pg_catalog.*) {bytes}) OPERATOR(pg_catalog./) 1048576))
            OPERATOR(pg_catalog.||) 'MB'
        FROM {passages}
    ), true);
    CREATE INDEX IF NOT EXISTS {index} ON {passages} USING hnsw (dense {vector}.halfvec_ip_ops);
    ANALYZE {passages};
END
