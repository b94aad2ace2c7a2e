SELECT id FROM pgencoder.late WHERE collection OPERATOR(pg_catalog.=) $1 AND key IS NULL
