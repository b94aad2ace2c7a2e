"""The catalogue of collections: a source table and the columns to encode."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        CREATE TABLE pgencoder.collection (
            name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 40),
            source_schema text NOT NULL,
            source_table text NOT NULL,
            columns text[] NOT NULL CHECK (cardinality(columns) > 0),
            created_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE pgencoder.collection IS
            'A source table and the columns of it that are encoded; by name, not oid, so that a restored dump works';
        CREATE TABLE pgencoder.collection_key (
            collection text NOT NULL REFERENCES pgencoder.collection ON DELETE CASCADE,
            position int NOT NULL,
            source text NOT NULL,
            name text NOT NULL,
            type text NOT NULL,
            collate_as text NOT NULL,
            PRIMARY KEY (collection, position)
        );
        COMMENT ON TABLE pgencoder.collection_key IS
            'The primary key of the source: its columns'' names there and in the passages table, types, collations';
        """
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE pgencoder.collection_key; DROP TABLE pgencoder.collection CASCADE")
