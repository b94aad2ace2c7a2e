, scored AS MATERIALIZED (
    -- token data is read here and nowhere before: up to now it was a pointer
    SELECT {keys}, passage, span, content, {score} AS score, recall_rank,
        OPERATOR(pg_catalog.-) distance AS dense_score FROM recall
)
