WITH ready AS (
    SELECT {key} FROM {queue}
    WHERE run_after <= now() AND (claimed_until IS NULL OR claimed_until < now())
    ORDER BY seq
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE {queue} AS queue
SET claimed_until = now() + make_interval(secs => $2), attempts = queue.attempts + 1
FROM ready WHERE {queue_is_ready}
RETURNING queue.seq, {key_text}
