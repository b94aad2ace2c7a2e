-- True if all rows are queued, the existing rows are encoded, and at most a tenth of all rows fail
SELECT g.queued_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM {queue} AS q WHERE q.changed_at OPERATOR(pg_catalog.<=) g.queued_at AND q.last_error IS NULL
    )
    AND (
        (
            SELECT pg_catalog.count(*) FROM {queue} AS q
            WHERE q.run_after OPERATOR(pg_catalog.<) 'infinity' AND q.last_error IS NOT NULL
        ) OPERATOR(pg_catalog.*) 10
    ) OPERATOR(pg_catalog.<=) (SELECT pg_catalog.count(*) FROM {write})
FROM pgencoder.generation AS g
WHERE g.collection OPERATOR(pg_catalog.=) $1 AND g.number OPERATOR(pg_catalog.=) $2
