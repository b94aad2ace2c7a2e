-- Whether writers are to notify a worker
UPDATE pgencoder.worker SET waiting = $1 WHERE id OPERATOR(pg_catalog.=) $2
