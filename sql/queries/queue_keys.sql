INSERT INTO {queue} ({key})
{keys}
ORDER BY {order}
ON CONFLICT ({key}) DO UPDATE SET
    seq = EXCLUDED.seq, attempts = 0, run_after = now(), claimed_until = NULL, last_error = NULL
