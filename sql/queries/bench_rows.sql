-- Creates a table for a benchmark
CREATE TABLE {table} (id int PRIMARY KEY, body pg_catalog.text NOT NULL);
INSERT INTO {table} SELECT i, {body} FROM pg_catalog.generate_series(1, {rows}) AS i
