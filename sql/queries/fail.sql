UPDATE {queue} AS queue SET
    claimed_until = NULL,
    last_error = mine.error,
    run_after = CASE WHEN queue.attempts >= {most_attempts} THEN 'infinity' ELSE
        now() + make_interval(secs => least({longest}, {shortest} * 4.0 ^ (queue.attempts - 1)) * (0.5 + random())) END
FROM ({mine}) AS mine WHERE queue.ctid = mine.ctid
