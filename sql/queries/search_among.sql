{stage} AS (
    -- the rows of the source are looked up in the order of the distance, and only until there are enough
    SELECT {found_keys}, {stored}, found.distance
    FROM (
        SELECT {source_keys}, passages.passage{boost}, passages.distance
        FROM (
            SELECT {passage_key}, passages.passage, {distance} AS distance FROM {passages} AS passages
            WHERE (SELECT done FROM setting) IS NOT NULL AND {among}{condition}
            ORDER BY distance
        ) AS passages JOIN {source} AS source ON {same}
        ORDER BY {order} LIMIT {limit}
    ) AS found JOIN {passages} AS passages ON {same_found} AND passages.passage OPERATOR(pg_catalog.=) found.passage
)