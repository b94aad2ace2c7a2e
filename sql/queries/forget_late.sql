DELETE FROM pgencoder.late WHERE id OPERATOR(pg_catalog.=) ANY ($1)
