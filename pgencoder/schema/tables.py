"""The tables of a generation."""

from __future__ import annotations

from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.representations.base import Representation
from pgencoder.statements import Part, identifier, listed, raw


def create(objects: Objects) -> sql.Composed:
    """Make the passages table, with row level security, and its queue."""
    return objects.fill(
        "create_passages",
        key_definitions=objects.key.definitions,
        representations=listed(
            (_column(each, objects.vector) for each in objects.generation.representations), ",\n    "
        ),
        storage=listed((_storage(each, objects.passages) for each in objects.generation.representations), ""),
        comment=objects.comment(raw("generation ") + objects.number),
    )


def _column(representation: Representation, vector: Part) -> Part:
    return sql.SQL("{} {} NOT NULL").format(identifier(representation.name), representation.column_type(vector))


def _storage(representation: Representation, passages: Part) -> Part:
    if representation.storage is None:
        return raw("")
    change = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET STORAGE {};\n")
    return change.format(passages, identifier(representation.name), raw(representation.storage))
