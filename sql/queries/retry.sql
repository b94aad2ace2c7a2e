UPDATE {queue} SET attempts = 0, run_after = pg_catalog.now(), claimed_until = NULL, last_error = NULL
WHERE last_error IS NOT NULL
    AND (claimed_until IS NULL OR claimed_until OPERATOR(pg_catalog.<) pg_catalog.now()) AND {which}
