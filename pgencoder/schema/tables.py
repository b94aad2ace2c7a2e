"""The tables of a generation."""

from __future__ import annotations

from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.statements import raw


def create(objects: Objects) -> sql.Composed:
    """Make the passages table, with row level security, and its queue."""
    return objects.fill(
        "create_passages",
        key_definitions=objects.key.definitions,
        dense_dims=raw(str(objects.generation.dims.dense)),
        token_type=objects.token_type,
        comment=objects.comment(raw("generation ") + objects.number),
    )
