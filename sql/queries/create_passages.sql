CREATE TABLE {passages} (
    {key_definitions},
    passage int NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense {vector}.halfvec({dense_dims}) NOT NULL,
    tokens {token_type}[] NOT NULL,
    PRIMARY KEY ({key}, passage)
);
-- Vectors do not compress: arrays default to EXTENDED, two to three times slower to write for nothing
ALTER TABLE {passages} ALTER COLUMN tokens SET STORAGE EXTERNAL;
-- The planner goes by the heap, which is small beside its TOAST, and would never scan in parallel
ALTER TABLE {passages} SET (parallel_workers = 4);
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
CREATE POLICY source_row ON {passages} FOR SELECT
    USING (EXISTS (SELECT FROM {source} AS source WHERE {source_is_passage}));
COMMENT ON TABLE {passages} IS {comment};
CREATE TABLE {queue} (
    {key_definitions},
    seq bigint NOT NULL DEFAULT nextval('pgencoder.change'),
    attempts int NOT NULL DEFAULT 0,
    run_after timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    last_error text,
    PRIMARY KEY ({key})
);
CREATE INDEX ON {queue} (seq);
COMMENT ON TABLE {queue} IS {comment};
