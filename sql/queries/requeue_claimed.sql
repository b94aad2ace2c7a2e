UPDATE {queue} SET seq = nextval('pgencoder.change'), attempts = 0, run_after = now(), claimed_until = NULL
WHERE claimed_until IS NOT NULL
