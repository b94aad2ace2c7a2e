SELECT number FROM pgencoder.generation
WHERE collection OPERATOR(pg_catalog.=) %s AND state OPERATOR(pg_catalog.=) 'retired'
ORDER BY activated_at DESC LIMIT 1
