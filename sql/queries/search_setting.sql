setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least({candidates}, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE {check}
)
