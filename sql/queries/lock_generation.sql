SELECT FROM pgencoder.generation
WHERE collection OPERATOR(pg_catalog.=) $1 AND number OPERATOR(pg_catalog.=) $2 FOR NO KEY UPDATE SKIP LOCKED
