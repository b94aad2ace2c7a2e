"""Room for what the state of a collection and its passages must say."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One statement a line of reasons: each is added by the feature that needs it
UP: tuple[str, ...] = ()
DOWN: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in reversed(DOWN):
        op.get_bind().exec_driver_sql(statement)
