"""Runs the revisions on the connection that `pgencoder.schema.migrate` hands over, inside its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="revision",
    version_table_schema="pgencoder",
)
with context.begin_transaction():
    context.run_migrations()
