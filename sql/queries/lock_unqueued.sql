-- Locks and returns how far the rows of a generation are queued; no row if all are, or if another process queues them
SELECT queued_to FROM pgencoder.generation
WHERE collection OPERATOR(pg_catalog.=) $1 AND number OPERATOR(pg_catalog.=) $2 AND queued_at IS NULL
FOR NO KEY UPDATE SKIP LOCKED
