UPDATE pgencoder.collection_key SET type = %s, collate_as = %s
WHERE collection OPERATOR(pg_catalog.=) %s AND source OPERATOR(pg_catalog.=) %s
