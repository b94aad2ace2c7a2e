-- By ctid, because a join by key could read the whole queue. A row that changes while this statement runs is locked, but
-- its new version is not found; the next claim takes it.
WITH ready AS MATERIALIZED (
    SELECT ctid FROM {queue} WHERE {ready} AND run_after OPERATOR(pg_catalog.<=) pg_catalog.now()
    ORDER BY {first} LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE {queue} AS queue
SET claimed_until = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $2),
    run_after = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $2),
    attempts = attempts OPERATOR(pg_catalog.+) 1
WHERE queue.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT ready.ctid FROM ready))
RETURNING queue.seq, queue.attempts, {key_text}
