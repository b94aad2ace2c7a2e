UPDATE {queue} AS queue SET
    claimed_until = NULL,
    last_error = mine.error,
    run_after = CASE WHEN queue.attempts OPERATOR(pg_catalog.>=) {most_attempts} THEN 'infinity' ELSE
        pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs =>
            least({longest}, {shortest} OPERATOR(pg_catalog.*)
                (4.0 OPERATOR(pg_catalog.^) (queue.attempts OPERATOR(pg_catalog.-) 1)))
            OPERATOR(pg_catalog.*) (0.5 OPERATOR(pg_catalog.+) pg_catalog.random())) END
FROM ({mine}) AS mine WHERE queue.ctid OPERATOR(pg_catalog.=) mine.ctid
