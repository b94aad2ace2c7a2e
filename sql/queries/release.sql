-- claimed and not tried: as if it had not been
UPDATE {queue} AS queue
SET claimed_until = NULL, run_after = now(), attempts = greatest(queue.attempts - 1, 0)
FROM ({mine}) AS mine WHERE queue.ctid = mine.ctid
