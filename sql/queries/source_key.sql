SELECT name, type, collate_as, usable FROM pgencoder.source_key(%s::pg_catalog.oid)
