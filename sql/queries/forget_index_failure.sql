-- For one generation, or for all generations of a collection
UPDATE pgencoder.generation SET index_failures = 0, index_error = NULL, index_retry_at = NULL
WHERE collection OPERATOR(pg_catalog.=) $1 AND ($2::int IS NULL OR number OPERATOR(pg_catalog.=) $2)
    AND index_failures OPERATOR(pg_catalog.>) 0
