UPDATE {queue} AS queue
SET claimed_until = now() + make_interval(secs => {lease}), run_after = now() + make_interval(secs => {lease})
FROM ({mine}) AS mine WHERE queue.ctid = mine.ctid AND queue.claimed_until IS NOT NULL
