{stage} AS (
    SELECT {source_keys}, {stored}, {distance} AS distance
    FROM {passages} AS passages JOIN {source} AS source ON {same}
    WHERE (SELECT done FROM setting) IS NOT NULL{condition}
    ORDER BY {order} LIMIT {limit}
)
