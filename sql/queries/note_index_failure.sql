UPDATE pgencoder.generation SET
    index_failures = index_failures OPERATOR(pg_catalog.+) 1,
    index_error = $3,
    index_retry_at = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(
        secs => LEAST($5, $4 OPERATOR(pg_catalog.*) pg_catalog.power(2, LEAST(index_failures, 20)))
    )
WHERE collection OPERATOR(pg_catalog.=) $1 AND number OPERATOR(pg_catalog.=) $2
