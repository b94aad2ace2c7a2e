WITH scored AS (
    SELECT {source_keys}, passage, span, content, {score} AS score, NULL::int AS recall_rank,
        OPERATOR(pg_catalog.-) pgencoder.distance(dense, {dense}) AS dense_score
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE {check}
)
