"""Reads from the source rows of hits, all of them in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.db.values import key_texts
from pgencoder.errors import InvalidSource
from pgencoder.statements import Part, content, equal, identifier, listed, query, raw
from pgencoder.types import Collection

_NO_SPAN = (0, 0)


def columns(
    connection: Connection, collection: Collection, keys: Sequence[Any], names: Sequence[str]
) -> list[Mapping[str, Any] | None]:
    """Return the columns `names` of the row of each key, None if there is no row; raises InvalidSource."""
    chosen = [identifier("source", name) for name in names]
    try:
        rows = _read(connection, collection, chosen, [(key, _NO_SPAN) for key in keys])
    except pg.UndefinedColumn as error:
        raise InvalidSource(f"table {collection.source_table!r}: {error.diag.message_primary}") from error
    return [dict(zip(names, rows[i], strict=True)) if i in rows else None for i in range(len(keys))]


def pieces(
    connection: Connection, collection: Collection, wanted: Sequence[tuple[Any, tuple[int, int]]]
) -> list[str | None]:
    """Return the characters [start, end) of the content of the row of each key; None if there is no row."""
    whole = content(collection.columns, "source")
    piece = sql.SQL(
        "pg_catalog.substr({}, wanted.first OPERATOR(pg_catalog.+) 1, wanted.past OPERATOR(pg_catalog.-) wanted.first)"
    ).format(whole)
    rows = _read(connection, collection, [piece], wanted)
    return [rows[i][0] if i in rows else None for i in range(len(wanted))]


def _read(
    connection: Connection,
    collection: Collection,
    chosen: Sequence[Part],
    wanted: Sequence[tuple[Any, tuple[int, int]]],
) -> dict[int, tuple[Any, ...]]:
    """Return the chosen values by the number of the wanted row."""
    if not wanted:
        return {}
    names = [f"key_{i}" for i, _ in enumerate(collection.key)]
    values: list[Any] = []
    listing = []
    for place, (key, (first, past)) in enumerate(wanted):
        row: list[Part] = [sql.Literal(place), sql.Literal(first), sql.Literal(past)]
        for column, value in zip(collection.key, key_texts(connection, collection.key, key), strict=True):
            values.append(value)
            row.append(raw(f"${len(values)}::{column.full_type}"))
        listing.append(sql.SQL("({})").format(listed(row)))
    same = [
        equal(identifier("source", key.source), identifier("wanted", name))
        for key, name in zip(collection.key, names, strict=True)
    ]
    statement = query("read_source").format(
        columns=listed(chosen),
        source=identifier(collection.source_schema, collection.source_table),
        wanted=listed(listing),
        names=listed(identifier(name) for name in names),
        same=listed(same, " AND "),
    )
    # a raw cursor, because the table may be called 100%
    found = psycopg.RawCursor(connection).execute(statement.as_bytes(connection), values)
    return {place: tuple(rest) for place, *rest in found}
