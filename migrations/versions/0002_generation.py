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
            collection pg_catalog.text NOT NULL REFERENCES pgencoder.collection ON DELETE CASCADE,
            number int NOT NULL CHECK (number OPERATOR(pg_catalog.>) 0),
            state pg_catalog.text NOT NULL CHECK (
                state OPERATOR(pg_catalog.=) ANY (ARRAY['building', 'active', 'retired'])
            ),
            encoder pg_catalog.jsonb NOT NULL,
            dense_dims int NOT NULL,
            token_dims int NOT NULL,
            token_type pg_catalog.text NOT NULL CHECK (
                token_type OPERATOR(pg_catalog.=) ANY (ARRAY['bit', 'halfvec'])
            ),
            chunking pg_catalog.text NOT NULL CHECK (
                chunking OPERATOR(pg_catalog.=) ANY (ARRAY['default', 'truncate'])
            ),
            queued_at timestamp with time zone,
            created_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
            PRIMARY KEY (collection, number)
        );
        CREATE UNIQUE INDEX generation_active ON pgencoder.generation (collection)
            WHERE state OPERATOR(pg_catalog.=) 'active';
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
