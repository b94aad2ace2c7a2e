-- Removes the rows of workers that were last seen more than a day ago
DELETE FROM pgencoder.worker WHERE last_seen OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 day')
