CREATE TABLE {table} (
    id pg_catalog.text PRIMARY KEY,
    content pg_catalog.text NOT NULL,
    metadata pg_catalog.jsonb NOT NULL DEFAULT '{{}}',
    ref_doc_id pg_catalog.text,
    node pg_catalog.json NOT NULL,
    embedding real[]
);
CREATE INDEX ON {table} (ref_doc_id);
COMMENT ON TABLE {table} IS {mark}
