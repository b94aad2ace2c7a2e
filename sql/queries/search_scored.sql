scored AS MATERIALIZED (
    -- token data is read here and nowhere before: up to now it was a pointer
    SELECT {keys}, passage, span, content, recall_rank, {scores} FROM recall
)
