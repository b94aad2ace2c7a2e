"""Collections with dense vectors only."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        ALTER TABLE pgencoder.generation DROP CONSTRAINT generation_token_type_check;
        ALTER TABLE pgencoder.generation ADD CONSTRAINT generation_token_type_check
            CHECK (token_type OPERATOR(pg_catalog.=) ANY (ARRAY['bit', 'halfvec', 'none']));
        COMMENT ON COLUMN pgencoder.generation.token_dims IS '0 where only dense vectors are stored';
        """
    )


def downgrade() -> None:
    # not valid: a generation without tokens may be there, and must not keep the schema from being removed
    op.get_bind().exec_driver_sql(
        """
        COMMENT ON COLUMN pgencoder.generation.token_dims IS NULL;
        ALTER TABLE pgencoder.generation DROP CONSTRAINT generation_token_type_check;
        ALTER TABLE pgencoder.generation ADD CONSTRAINT generation_token_type_check
            CHECK (token_type OPERATOR(pg_catalog.=) ANY (ARRAY['bit', 'halfvec'])) NOT VALID;
        """
    )
