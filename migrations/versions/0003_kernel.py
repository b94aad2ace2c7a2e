"""The MaxSim functions can be switched between kernels.

The tables are the same. The revision tells a database whose functions are from before: they are not in revisions, but
made anew at each migration.
"""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
