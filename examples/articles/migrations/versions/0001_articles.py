"""Articles and their encoding."""

import sqlalchemy as sa
from alembic import op

import pgencoder.alembic  # noqa: F401 - adds the operations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table and its collection."""
    op.create_table(
        "articles",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lang", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
    )
    model = "sentence-transformers/all-MiniLM-L6-v2"
    op.attach_encoding("articles", columns=["title", "body"], model=model, key={"id": "integer"})


def downgrade() -> None:
    """Remove the collection and the table."""
    op.detach_encoding("articles")
    op.drop_table("articles")
