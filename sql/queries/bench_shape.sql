SELECT pg_catalog.count(*), pg_catalog.avg(pg_catalog.cardinality(tokens))::double precision FROM {passages}
