SELECT pg_catalog.count(*) FROM {queue} WHERE run_after OPERATOR(pg_catalog.<) 'infinity'
