-- One piece of the source beside the passages of the same range of keys. Where one side has more than a piece holds, the
-- range ends with its last key.
WITH piece AS MATERIALIZED (SELECT {scanned}, row_hash FROM {scan}($1, $2, true)),
stored AS MATERIALIZED (
    SELECT {passage_keys}, (array_agg(passage.row_hash))[1] AS row_hash FROM {write} AS passage
    WHERE $1::text[] IS NULL OR ({passage_key}) > ({after}) GROUP BY {order} ORDER BY {order} LIMIT $2
),
edge AS MATERIALIZED (
    SELECT {claim_columns} FROM (
        (SELECT {claim_columns} FROM piece WHERE (SELECT count(*) FROM piece) = $2 ORDER BY {descending} LIMIT 1)
        UNION ALL
        (SELECT {claim_columns} FROM stored WHERE (SELECT count(*) FROM stored) = $2 ORDER BY {descending} LIMIT 1)
    ) AS ends ORDER BY {order} LIMIT 1
),
differing AS MATERIALIZED (
    SELECT {either}, CASE WHEN {stored_is_null} THEN 'missing' WHEN {piece_is_null} THEN 'orphaned' ELSE 'stale' END AS kind
    FROM piece FULL JOIN stored ON {piece_is_stored}
    WHERE piece.row_hash IS DISTINCT FROM stored.row_hash
        AND {either_within}
),
added AS (
    INSERT INTO {queue} ({key}, seq)
    SELECT {claim_columns}, nextval('pgencoder.change') + 4611686018427387904 FROM differing ORDER BY {order}
    ON CONFLICT ({key}) DO NOTHING RETURNING {key_as_claim}
)
SELECT (SELECT count(*) FROM piece WHERE {within}), count(*) FILTER (WHERE kind = 'missing'), count(*) FILTER (WHERE kind = 'stale'),
    count(*) FILTER (WHERE kind = 'orphaned'), (SELECT ARRAY[{key_text}] FROM edge)
FROM differing JOIN added USING ({claim_columns})
