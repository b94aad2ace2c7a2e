UPDATE {queue} SET seq = pg_catalog.nextval('pgencoder.change'), attempts = 0,
    run_after = pg_catalog.now(), claimed_until = NULL
WHERE claimed_until IS NOT NULL
