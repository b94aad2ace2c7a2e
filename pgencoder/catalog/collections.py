"""Reads and writes collections and their generations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from itertools import groupby
from typing import Any

from psycopg import sql

from pgencoder import representations
from pgencoder.catalog.keys import as_set
from pgencoder.db.executor import Executor
from pgencoder.errors import InvalidRequest, UnknownCollection
from pgencoder.statements import Part, as_text, identifier, listed, query
from pgencoder.types import Collection, Generation, KeyColumn


def collections(executor: Executor) -> list[Collection]:
    """Return all collections by name."""
    return _read(executor, None)


def collection(executor: Executor, name: str) -> Collection:
    """Return one collection; raises UnknownCollection, naming those there are."""
    if not isinstance(name, str):
        raise InvalidRequest(f"a collection's name is a text, got {type(name).__name__}")
    found = _read(executor, name)
    if found:
        return found[0]
    names = [c.name for c in collections(executor)]
    known = f"there are: {', '.join(names)}" if names else "there is none yet; make one with: pgencoder attach"
    raise UnknownCollection(f"no collection {name!r}; {known}")


def description(collection: Collection) -> dict[str, Any]:
    """Describe the active generation, as `<name>_active` does: all that a search of it depends on."""
    return {
        "collection": collection.name,
        "generation": collection.generation.number,
        "source": as_text(identifier(collection.source_schema, collection.source_table)),
        "key": as_set([key.name for key in collection.key]),
        "encoder": dict(collection.generation.encoder),
    }


def add(made: Collection) -> list[Part]:
    """Return the statements that write a collection and its first generation."""
    collection = query("add_collection").format(
        name=sql.Literal(made.name),
        source_schema=sql.Literal(made.source_schema),
        source_table=sql.Literal(made.source_table),
        columns=sql.Literal(list(made.columns)),
    )
    key = (
        query("add_key").format(listed(map(sql.Literal, (made.name, position, *astuple(column)))))
        for position, column in enumerate(made.key, 1)
    )
    return [collection, *key, add_generation(made.generation)]


def add_generation(generation: Generation, number: Part | None = None) -> Part:
    """Return the statements that write a generation, perhaps with another number; an active one is so from now on."""
    return query("add_generation").format(
        collection=sql.Literal(generation.collection),
        number=number or sql.Literal(generation.number),
        state=sql.Literal(generation.state),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        representations=sql.Literal(json.dumps(representations.described(generation.representations))),
        chunking=sql.Literal(generation.chunking),
    )


def _read(executor: Executor, name: str | None) -> list[Collection]:
    rows = executor.execute(query("read_collections"), {"name": name}).fetchall()
    return [_collection(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def _collection(rows: Sequence[Sequence[Any]]) -> Collection:
    name, schema, table, columns, key, *_ = rows[0]
    generations = []
    for number, state, encoder, stored, chunking, queued in (row[5:] for row in rows):
        made = representations.made(_json(stored) or ())
        generations.append(Generation(name, number, state, _json(encoder), made, chunking, queued))
    columns_of_key = tuple(KeyColumn(*column) for column in _json(key))
    return Collection(name, schema, table, columns_of_key, tuple(columns), tuple(generations))


def _json(value: Any) -> Any:
    # other drivers than psycopg leave it as text
    return json.loads(value) if isinstance(value, str) else value
