CREATE TABLE {passages} (
    {key_definitions},
    passage int NOT NULL,
    span pg_catalog.int4range NOT NULL,
    content pg_catalog.text NOT NULL,
    content_hash pg_catalog.bytea NOT NULL,
    truncated boolean NOT NULL,
    {representations},
    row_hash pg_catalog.bytea,
    mostly_unknown boolean,
    PRIMARY KEY ({key}, passage)
);
{storage}-- The planner looks at the heap, which is small compared with its TOAST, and would never scan in parallel
ALTER TABLE {passages} SET (parallel_workers = 4);
ALTER TABLE {passages} ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE {passages} IS {comment};
COMMENT ON COLUMN {passages}.mostly_unknown IS 'True if the model knows less than half of its tokens; NULL if not checked';
COMMENT ON COLUMN {passages}.row_hash IS 'SHA-256 of the whole content of the row of the passage';
CREATE TABLE {queue} (
    {key_definitions},
    seq bigint NOT NULL DEFAULT pg_catalog.nextval('pgencoder.change'),
    attempts int NOT NULL DEFAULT 0,
    run_after timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    claimed_until timestamp with time zone,
    last_error pg_catalog.text,
    changed_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY ({key})
);
-- A claim moves a row from the first index to the second; when the lease ends, the row can be claimed again
CREATE INDEX ON {queue} (seq) WHERE attempts OPERATOR(pg_catalog.=) 0;
CREATE INDEX ON {queue} (run_after) WHERE attempts OPERATOR(pg_catalog.>) 0;
-- Most rows of a queue are dead; by default vacuum would wait for a fifth of the largest size of the queue
ALTER TABLE {queue} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE {queue} IS {comment};
