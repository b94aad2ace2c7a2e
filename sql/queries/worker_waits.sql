-- Notes that a worker waits for notifications of writers, or that it does not
UPDATE pgencoder.worker SET waiting = $1 WHERE id OPERATOR(pg_catalog.=) $2
