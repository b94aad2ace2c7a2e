"""Runs the application's migrations; the import adds the operations of pgencoder and autogenerate for them."""

import asyncio

import sqlalchemy as sa
from alembic import context
from app import Base, engine, url

import pgencoder.alembic  # noqa: F401 - adds the operations and autogenerate


def run(connection: sa.Connection | None) -> None:
    """Run the migrations on a connection, or print them as SQL."""
    where = {"url": url, "literal_binds": True} if connection is None else {"connection": connection}
    context.configure(target_metadata=Base.metadata, **where)
    with context.begin_transaction():
        context.run_migrations()


async def online() -> None:
    """Run the migrations on the application's engine."""
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    run(None)
else:
    asyncio.run(online())
