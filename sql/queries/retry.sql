UPDATE {queue} SET attempts = 0, run_after = now(), claimed_until = NULL, last_error = NULL
WHERE last_error IS NOT NULL AND (claimed_until IS NULL OR claimed_until < now()) AND {which}
