WITH setting AS MATERIALIZED (
    SELECT pg_catalog.set_config('hnsw.ef_search', least({candidates}, 1000)::pg_catalog.text, true)
            OPERATOR(pg_catalog.||) pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true) AS done
    WHERE {check}
), nearest AS MATERIALIZED (
    SELECT {source_keys}, passage, span, content, tokens, pgencoder.distance(dense, {dense}) AS distance
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT {candidates}
), wider AS MATERIALIZED (
    SELECT {source_keys}, passage, span, content, tokens, pgencoder.distance(dense, {dense}) AS distance
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT {keys} FROM nearest) AS documents) OPERATOR(pg_catalog.<) {k}
        AND (SELECT done FROM setting) IS NOT NULL
    ORDER BY distance LIMIT {candidates}::bigint OPERATOR(pg_catalog.*) 10
), exact AS MATERIALIZED (
    -- adding 0 hides the distance from the index; the best passage of a document comes before any second one
    SELECT {source_keys}, passage, span, content, tokens,
        pgencoder.distance(dense, {dense}) OPERATOR(pg_catalog.+) 0 AS distance
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE (SELECT done FROM setting) IS NOT NULL AND (
        (SELECT pg_catalog.count(*) FROM nearest) OPERATOR(pg_catalog.<) {candidates}
        OR (
            SELECT pg_catalog.count(*)
            FROM (SELECT DISTINCT {keys} FROM nearest UNION SELECT {keys} FROM wider) AS documents
        ) OPERATOR(pg_catalog.<) {k}
    )
    ORDER BY
        pg_catalog.row_number() OVER (
            PARTITION BY {source_keys} ORDER BY pgencoder.distance(dense, {dense}) OPERATOR(pg_catalog.+) 0
        ) OPERATOR(pg_catalog.>) 1,
        distance
    LIMIT {candidates}
), recall AS MATERIALIZED (
    SELECT *, pg_catalog.row_number() OVER (ORDER BY distance, {keys}, passage)::int AS recall_rank
    FROM (
        SELECT DISTINCT ON ({keys}, passage) *
        FROM (TABLE nearest UNION ALL TABLE wider UNION ALL TABLE exact) AS stages
    ) AS found
)
