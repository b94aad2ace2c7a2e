-- undoes a claim that was not tried
UPDATE {queue} AS queue
SET claimed_until = NULL, run_after = pg_catalog.now(), attempts = greatest(queue.attempts OPERATOR(pg_catalog.-) 1, 0)
FROM ({mine}) AS mine WHERE queue.ctid OPERATOR(pg_catalog.=) mine.ctid
