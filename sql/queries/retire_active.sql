UPDATE pgencoder.generation SET state = 'retired'
WHERE collection OPERATOR(pg_catalog.=) %s AND state OPERATOR(pg_catalog.=) 'active'
