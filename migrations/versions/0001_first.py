"""The catalogue: collections, their generations, late changes and workers.

Functions and views are not here: each migration applies them again, see `pgencoder.schema.migrate`.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COLLECTIONS = """
CREATE TABLE pgencoder.collection (
    name pg_catalog.text PRIMARY KEY CHECK (
        pg_catalog.octet_length(name) OPERATOR(pg_catalog.>=) 1
        AND pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 40
    ),
    source_schema pg_catalog.text NOT NULL,
    source_table pg_catalog.text NOT NULL,
    columns pg_catalog.text[] NOT NULL CHECK (pg_catalog.cardinality(columns) OPERATOR(pg_catalog.>) 0),
    created_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE pgencoder.collection IS
    'A source table and the columns of it that are encoded; by name, not oid, so that a restored dump works';
CREATE TABLE pgencoder.collection_key (
    collection pg_catalog.text NOT NULL REFERENCES pgencoder.collection ON DELETE CASCADE,
    position int NOT NULL,
    source pg_catalog.text NOT NULL,
    name pg_catalog.text NOT NULL,
    type pg_catalog.text NOT NULL,
    collate_as pg_catalog.text NOT NULL,
    PRIMARY KEY (collection, position)
);
COMMENT ON TABLE pgencoder.collection_key IS
    'The primary key of the source: its columns'' names there and in the passages table, types, collations';
"""

GENERATIONS = """
CREATE TABLE pgencoder.generation (
    collection pg_catalog.text NOT NULL REFERENCES pgencoder.collection ON DELETE CASCADE,
    number int NOT NULL CHECK (number OPERATOR(pg_catalog.>) 0),
    state pg_catalog.text NOT NULL CHECK (
        state OPERATOR(pg_catalog.=) ANY (ARRAY['building', 'active', 'retired'])
    ),
    encoder pg_catalog.jsonb NOT NULL,
    chunking pg_catalog.text NOT NULL CHECK (
        chunking OPERATOR(pg_catalog.=) ANY (ARRAY['default', 'truncate'])
    ),
    queued_at timestamp with time zone,
    queued_to pg_catalog.text[],
    created_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    activated_at timestamp with time zone,
    index_failures int NOT NULL DEFAULT 0,
    index_error pg_catalog.text,
    index_retry_at timestamp with time zone,
    PRIMARY KEY (collection, number)
);
CREATE UNIQUE INDEX generation_active ON pgencoder.generation (collection)
    WHERE state OPERATOR(pg_catalog.=) 'active';
COMMENT ON TABLE pgencoder.generation IS 'One physical encoding of a collection by one encoder';
COMMENT ON COLUMN pgencoder.generation.encoder IS
    'The fingerprint: what must be equal for two encodings to be comparable';
COMMENT ON COLUMN pgencoder.generation.queued_at IS
    'When the rows that were there before the triggers had all been queued; NULL until then';
COMMENT ON COLUMN pgencoder.generation.queued_to IS
    'The last key that was queued of the rows that were there before the generation; NULL before the first';
COMMENT ON COLUMN pgencoder.generation.activated_at IS 'When searches last began to use it; NULL: never';
COMMENT ON COLUMN pgencoder.generation.index_failures IS 'How often in a row the index could not be built';
COMMENT ON COLUMN pgencoder.generation.index_error IS 'Why it could not be built the last time';
COMMENT ON COLUMN pgencoder.generation.index_retry_at IS 'When workers try again';
CREATE TABLE pgencoder.representation (
    collection pg_catalog.text NOT NULL,
    generation int NOT NULL,
    name pg_catalog.text NOT NULL CHECK (name OPERATOR(pg_catalog.~) '^[a-z][a-z0-9_]{0,9}$'),
    kind pg_catalog.text NOT NULL,
    dims int NOT NULL,
    indexed boolean NOT NULL,
    options pg_catalog.jsonb NOT NULL,
    passages bigint NOT NULL DEFAULT 0,
    mean_length double precision NOT NULL DEFAULT 0,
    counted_changes bigint,
    PRIMARY KEY (collection, generation, name),
    FOREIGN KEY (collection, generation) REFERENCES pgencoder.generation ON DELETE CASCADE
);
COMMENT ON TABLE pgencoder.representation IS
    'What a generation stores of each passage: a column of the passages table for each row';
COMMENT ON COLUMN pgencoder.representation.kind IS 'How it is made, stored and compared';
COMMENT ON COLUMN pgencoder.representation.indexed IS
    'An index of it, named <collection>_<generation>_<name>, is built';
COMMENT ON COLUMN pgencoder.representation.options IS 'What else its kind must know';
COMMENT ON COLUMN pgencoder.representation.passages IS 'Passages when their terms were counted last';
COMMENT ON COLUMN pgencoder.representation.mean_length IS 'Terms of a passage, on average, when they were counted last';
COMMENT ON COLUMN pgencoder.representation.counted_changes IS
    'Changes of passages that the server had seen when the terms were counted last; NULL: never';
"""

# The owner of a table may report a change of that table alone: the owner of its trigger function is known by that
CHANGES = """
CREATE SEQUENCE pgencoder.change AS bigint;
COMMENT ON SEQUENCE pgencoder.change IS 'Numbers the changes in the queues: a later change, a higher number';
CREATE TABLE pgencoder.late (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection pg_catalog.text NOT NULL,
    key pg_catalog.text[]
);
COMMENT ON TABLE pgencoder.late IS
    'Changes that workers put into the queues: of transactions whose snapshot kept them from it,'
    ' and, with a NULL key, a TRUNCATE';
ALTER TABLE pgencoder.late ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON pgencoder.late FOR SELECT USING (true);
CREATE POLICY claim ON pgencoder.late FOR UPDATE USING (true);
CREATE POLICY done ON pgencoder.late FOR DELETE USING (true);
CREATE POLICY changed ON pgencoder.late FOR INSERT WITH CHECK (EXISTS (
    SELECT FROM pg_catalog.pg_proc p
    WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace::pg_catalog.oid
        AND p.proname OPERATOR(pg_catalog.=) pg_catalog.concat(late.collection, '_changed')
        AND pg_catalog.pg_has_role(p.proowner, 'USAGE')
));
"""

WORKERS = """
CREATE TABLE pgencoder.worker (
    id pg_catalog.uuid PRIMARY KEY,
    host pg_catalog.text NOT NULL,
    pid int NOT NULL,
    models pg_catalog.text[] NOT NULL DEFAULT '{}',
    device pg_catalog.text,
    waiting boolean NOT NULL DEFAULT false,
    started_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    last_seen timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    rows bigint NOT NULL DEFAULT 0,
    passages bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    rates pg_catalog.jsonb NOT NULL DEFAULT '{}',
    problem pg_catalog.text
);
COMMENT ON TABLE pgencoder.worker IS
    'Heartbeats: a worker renews its row while it runs and removes it at the end';
COMMENT ON COLUMN pgencoder.worker.rates IS 'Rows a second in the last minute, by passages table';
"""

REMOVE = """
DROP TABLE pgencoder.worker, pgencoder.late;
DROP SEQUENCE pgencoder.change CASCADE;
DROP TABLE pgencoder.representation, pgencoder.generation, pgencoder.collection_key;
DROP TABLE pgencoder.collection CASCADE;
"""


def upgrade() -> None:
    for statements in (COLLECTIONS, GENERATIONS, CHANGES, WORKERS):
        op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.get_bind().exec_driver_sql(REMOVE, execution_options={"no_parameters": True})
