scored AS (
    SELECT {source_keys}, passage, span, content, NULL::int AS recall_rank, {scores}
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE {check}
)
