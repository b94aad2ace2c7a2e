SELECT collection, number, index_error, index_failures, pg_catalog.date_part(
    'epoch',
    LEAST(index_retry_at, pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(days => 1))
    OPERATOR(pg_catalog.-) pg_catalog.now()
)
FROM pgencoder.generation WHERE index_error IS NOT NULL
