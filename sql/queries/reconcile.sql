-- Compares a piece of the source with the passages of the same range of keys. If one side has more rows than a piece, the
-- range ends with its last key. A row that is not read has no hash, so it matches no passage and is queued.
WITH piece AS MATERIALIZED (
    SELECT {scanned}, CASE WHEN $3 THEN row_hash ELSE ''::pg_catalog.bytea END AS row_hash FROM {scan}($1, $2, $3)
),
stored AS MATERIALIZED (
    SELECT {passage_keys}, (pg_catalog.array_agg(passage.row_hash))[1] AS row_hash FROM {write} AS passage
    WHERE $1::pg_catalog.text[] IS NULL OR ({passage_key}) OPERATOR(pg_catalog.>) ({after})
    GROUP BY {order} ORDER BY {order} LIMIT $2
),
edge AS MATERIALIZED (
    SELECT {claim_columns} FROM (
        (SELECT {claim_columns} FROM piece
         WHERE (SELECT pg_catalog.count(*) FROM piece) OPERATOR(pg_catalog.=) $2 ORDER BY {descending} LIMIT 1)
        UNION ALL
        (SELECT {claim_columns} FROM stored
         WHERE (SELECT pg_catalog.count(*) FROM stored) OPERATOR(pg_catalog.=) $2 ORDER BY {descending} LIMIT 1)
    ) AS ends ORDER BY {order} LIMIT 1
),
differing AS MATERIALIZED (
    SELECT {either}, CASE WHEN {stored_is_null} THEN 'missing' WHEN {piece_is_null} THEN 'orphaned' ELSE 'stale' END AS kind
    FROM piece FULL JOIN stored ON {piece_is_stored}
    WHERE coalesce(
            piece.row_hash OPERATOR(pg_catalog.<>) stored.row_hash,
            (piece.row_hash IS NULL) OPERATOR(pg_catalog.<>) (stored.row_hash IS NULL))
        AND {either_within}
),
added AS (
    INSERT INTO {queue} ({key}, seq)
    SELECT {claim_columns}, pg_catalog.nextval('pgencoder.change') OPERATOR(pg_catalog.+) 4611686018427387904
    FROM differing ORDER BY {order}
    ON CONFLICT ({key}) DO NOTHING RETURNING {key_as_claim}
)
SELECT (SELECT pg_catalog.count(*) FROM piece WHERE {within}),
    pg_catalog.count(*) FILTER (WHERE kind OPERATOR(pg_catalog.=) 'missing'),
    pg_catalog.count(*) FILTER (WHERE kind OPERATOR(pg_catalog.=) 'stale'),
    pg_catalog.count(*) FILTER (WHERE kind OPERATOR(pg_catalog.=) 'orphaned'), (SELECT ARRAY[{key_text}] FROM edge)
FROM differing JOIN added ON {differing_is_added}
