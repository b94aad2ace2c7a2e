-- Remove the rows of workers that did not come to an end a day ago
DELETE FROM pgencoder.worker WHERE last_seen OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 day')
