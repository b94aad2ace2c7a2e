scored AS (
    SELECT {source_keys}, passages.passage, passages.span, passages.content, NULL::int AS recall_rank, {scores}
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE {check}
)
