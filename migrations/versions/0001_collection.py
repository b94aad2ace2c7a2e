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
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE pgencoder.collection_key; DROP TABLE pgencoder.collection CASCADE")
