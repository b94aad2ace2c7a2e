CREATE TABLE {table} (
    id text PRIMARY KEY,
    content text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{{}}'
);
COMMENT ON TABLE {table} IS {mark}
