CREATE TABLE {table} (
    id pg_catalog.text PRIMARY KEY,
    content pg_catalog.text NOT NULL,
    metadata pg_catalog.jsonb NOT NULL DEFAULT '{{}}'
);
COMMENT ON TABLE {table} IS {mark}
