SELECT name, type, collate_as, usable FROM pgencoder._source_key(%s::pg_catalog.oid)
