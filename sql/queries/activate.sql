UPDATE pgencoder.generation SET state = 'active', activated_at = pg_catalog.clock_timestamp()
WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s
