SELECT pg_catalog.to_regclass('pgencoder.revision') IS NOT NULL
