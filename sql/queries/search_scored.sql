scored AS MATERIALIZED (
    -- tokens are read from TOAST here for the first time; before, they are only pointers. Each score is computed once
    SELECT {keys}, passage, span, content, recall_rank{boost}, {scores} FROM recall
)
