"""The tables of a generation."""

from __future__ import annotations

from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.representations.base import Column
from pgencoder.statements import Part, identifier, listed, raw


def create(objects: Objects) -> sql.Composed:
    """Make the passages table, with row level security, its queue, and the table of its terms."""
    columns = [column for each in objects.generation.representations for column in each.columns(objects.vector)]
    made = objects.fill(
        "create_passages",
        key_definitions=objects.key.definitions,
        representations=listed(map(_defined, columns), ",\n    "),
        storage=listed((_storage(column, objects.passages) for column in columns), ""),
        comment=objects.comment(raw("generation ") + objects.number),
    )
    return made + create_terms(objects)


def create_terms(objects: Objects) -> sql.Composed:
    """Make the table of the terms of a generation, if it is not there."""
    return objects.fill("create_terms", comment=objects.comment(raw("terms of generation ") + objects.number))


def _defined(column: Column) -> Part:
    return sql.SQL("{} {} NOT NULL").format(identifier(column.name), column.type)


def _storage(column: Column, passages: Part) -> Part:
    if column.storage is None:
        return raw("")
    change = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET STORAGE {};\n")
    return change.format(passages, identifier(column.name), raw(column.storage))
