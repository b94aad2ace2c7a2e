"""The physical encodings of a collection, and the order of changes."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        CREATE TABLE pgencoder.generation (
            collection text NOT NULL REFERENCES pgencoder.collection ON DELETE CASCADE,
            number int NOT NULL CHECK (number > 0),
            state text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
            encoder jsonb NOT NULL,
            dense_dims int NOT NULL,
            token_dims int NOT NULL,
            token_type text NOT NULL CHECK (token_type IN ('bit', 'halfvec')),
            chunking text NOT NULL CHECK (chunking IN ('default', 'truncate')),
            queued_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (collection, number)
        );
        CREATE UNIQUE INDEX generation_active ON pgencoder.generation (collection) WHERE state = 'active';
        COMMENT ON TABLE pgencoder.generation IS 'One physical encoding of a collection by one encoder';
        COMMENT ON COLUMN pgencoder.generation.encoder IS
            'The fingerprint: what must be equal for two encodings to be comparable';
        COMMENT ON COLUMN pgencoder.generation.queued_at IS
            'When the rows that were there before the triggers had all been queued; NULL until then';
        CREATE SEQUENCE pgencoder.change AS bigint;
        COMMENT ON SEQUENCE pgencoder.change IS 'Numbers the changes in the queues: a later change, a higher number';
        """
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP SEQUENCE pgencoder.change CASCADE; DROP TABLE pgencoder.generation")
