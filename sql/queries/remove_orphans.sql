WITH orphan AS (
    DELETE FROM {passages} AS passage WHERE NOT EXISTS (SELECT FROM {source} AS source WHERE {source_is_passage})
)
DELETE FROM {queue} AS queue WHERE NOT EXISTS (SELECT FROM {source} AS source WHERE {source_is_queue})
