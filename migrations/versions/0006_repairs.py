"""Room for what the state of a collection and its passages must say."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One statement a line of reasons: each is added by the feature that needs it
UP: tuple[str, ...] = (
    # attempts to build an index that failed: every process sees why, and waits
    """
    ALTER TABLE pgencoder.generation ADD COLUMN index_failures int NOT NULL DEFAULT 0, ADD COLUMN index_error text,
        ADD COLUMN index_retry_at timestamptz;
    COMMENT ON COLUMN pgencoder.generation.index_failures IS 'How often in a row the index could not be built';
    COMMENT ON COLUMN pgencoder.generation.index_error IS 'Why it could not be built the last time';
    COMMENT ON COLUMN pgencoder.generation.index_retry_at IS 'When workers try again';
    """,
    # what the status says has another column, the problem of a collection's table
    "DROP VIEW IF EXISTS pgencoder.status; DROP FUNCTION IF EXISTS pgencoder.read_status()",
    # contents are no longer cast to text, which wrote some types in another way: rows are looked at, and those that are
    # the same are not encoded again
    """
    UPDATE pgencoder.generation g SET queued_at = NULL, queued_to = NULL
    FROM pgencoder.collection c
    WHERE c.name OPERATOR(pg_catalog.=) g.collection AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
        JOIN pg_catalog.pg_cast k ON k.castsource OPERATOR(pg_catalog.=) a.atttypid
            AND k.casttarget OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype
            AND k.castmethod OPERATOR(pg_catalog.=) 'f'
        WHERE n.nspname OPERATOR(pg_catalog.=) c.source_schema AND t.relname OPERATOR(pg_catalog.=) c.source_table
            AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (c.columns)
    )
    """,
)
DOWN: tuple[str, ...] = (
    "DROP VIEW pgencoder.status; DROP FUNCTION pgencoder.read_status()",
    """
    ALTER TABLE pgencoder.generation DROP COLUMN index_failures, DROP COLUMN index_error,
        DROP COLUMN index_retry_at;
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in reversed(DOWN):
        op.get_bind().exec_driver_sql(statement)
