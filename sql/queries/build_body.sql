BEGIN
    CREATE INDEX IF NOT EXISTS {index} ON {passages} USING hnsw (dense {vector}.halfvec_ip_ops);
    ANALYZE {passages};
END
