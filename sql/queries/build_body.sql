BEGIN
    -- the graph is built in memory as long as it fits
    PERFORM set_config('maintenance_work_mem', (
        SELECT greatest(64, least(1024, count(*) * {bytes} / 1048576)) || 'MB' FROM {passages}
    ), true);
    CREATE INDEX IF NOT EXISTS {index} ON {passages} USING hnsw (dense {vector}.halfvec_ip_ops);
    ANALYZE {passages};
END
