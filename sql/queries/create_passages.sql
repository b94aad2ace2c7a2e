CREATE TABLE {passages} (
    {key_definitions},
    passage int NOT NULL,
    span int4range NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    truncated boolean NOT NULL,
    dense {vector}.halfvec({dense_dims}) NOT NULL,
    tokens {token_type}[] NOT NULL,
    row_hash bytea,
    PRIMARY KEY ({key}, passage)
);
-- Vectors do not compress: arrays default to EXTENDED, two to three times slower to write for nothing
ALTER TABLE {passages} ALTER COLUMN tokens SET STORAGE EXTERNAL;
-- The planner goes by the heap, which is small beside its TOAST, and would never scan in parallel
ALTER TABLE {passages} SET (parallel_workers = 4);
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE {passages} IS {comment};
COMMENT ON COLUMN {passages}.row_hash IS 'SHA-256 of the whole content of the row that the passage is from';
CREATE TABLE {queue} (
    {key_definitions},
    seq bigint NOT NULL DEFAULT nextval('pgencoder.change'),
    attempts int NOT NULL DEFAULT 0,
    run_after timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    last_error text,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY ({key})
);
-- A claim takes a row out of the first index and puts it into the second, to come back when its lease ends
CREATE INDEX ON {queue} (seq) WHERE attempts = 0;
CREATE INDEX ON {queue} (run_after) WHERE attempts > 0;
-- A queue is mostly dead rows: without this, vacuum would wait for a fifth of the largest it ever was
ALTER TABLE {queue} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE {queue} IS {comment};
