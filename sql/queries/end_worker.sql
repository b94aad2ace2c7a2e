DELETE FROM pgencoder.worker WHERE id OPERATOR(pg_catalog.=) $1
