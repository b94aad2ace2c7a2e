UPDATE {queue} AS queue
SET claimed_until = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => {lease}),
    run_after = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => {lease})
FROM ({mine}) AS mine WHERE queue.ctid OPERATOR(pg_catalog.=) mine.ctid AND queue.claimed_until IS NOT NULL
