scored AS {once}(
    -- tokens are read from TOAST here for the first time; before, they are only pointers
    SELECT {keys}, passage, span, content, recall_rank, {scores} FROM recall
)
