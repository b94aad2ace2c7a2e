{stage} AS (
    -- the rows of the source are looked up in the order of the distance, and only until there are enough
    SELECT {found_keys}, {stored}, found.distance
    FROM (
        SELECT {source_keys}, passages.passage{boost}, passages.distance
        FROM {by} AS passages JOIN {source} AS source ON {same}
        WHERE {condition}
        ORDER BY {order} LIMIT {limit}
    ) AS found JOIN {passages} AS passages ON {same_found} AND passages.passage OPERATOR(pg_catalog.=) found.passage
)
