CREATE TABLE bench_pairs.sentences (id int PRIMARY KEY, body pg_catalog.text NOT NULL, dense {vector}.halfvec({dims}))
