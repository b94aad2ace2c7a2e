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
)
DOWN: tuple[str, ...] = (
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
