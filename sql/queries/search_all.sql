scored AS (
    SELECT {source_keys}, passages.passage, passages.span, passages.content, NULL::int AS recall_rank{boost}, {scores}
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE {check}
    OFFSET 0  -- each score is computed once
)
