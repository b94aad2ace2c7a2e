recall AS MATERIALIZED (
    -- a passage that several recalls find has the distance and the rank of each
    SELECT DISTINCT ON ({keys}, passage) {keys}, {columns}, {together}
    FROM ({recalls}) AS recalls
    WINDOW passage AS (PARTITION BY {keys}, passage)
)
