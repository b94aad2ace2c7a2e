"""Attaches, reencodes and repairs collections, so that they match what mapped classes declare."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.database import Database
from pgencoder.errors import CollectionError, CollectionExists, InUse
from pgencoder.opening import database_of
from pgencoder.plain import short_repr
from pgencoder.progress import Progress
from pgencoder.sqlalchemy.declare import Classes, Declared, declarations
from pgencoder.types import Collection, Generation

if TYPE_CHECKING:  # it needs greenlet, which not everyone has
    from sqlalchemy.ext.asyncio import AsyncEngine


@short_repr
@dataclass(frozen=True)
class AttachReport:
    """The report of `attach_all`; it has collections by name, and generations.

    - `attached`: new collections.
    - `begun`: new generations, because a class declares another encoder. Searches use them after a worker or `sync`
      has encoded them and `activate` is called.
    - `building`: generations that were begun before.
    - `activated`: older generations that searches use again.
    - `repaired`: collections that had lost triggers or other parts, or whose table was created again.
    - `undeclared`: collections that no class declares; they are not changed.
    """

    attached: tuple[str, ...] = ()
    begun: tuple[Generation, ...] = ()
    building: tuple[Generation, ...] = ()
    activated: tuple[Generation, ...] = ()
    repaired: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """True if anything was done."""
        return bool(self.attached or self.begun or self.activated or self.repaired)


def attach_all(
    classes: Classes,
    database: Database | sa.Engine | AsyncEngine | sa.URL | str,
    *,
    progress: Progress | None = None,
) -> AttachReport:
    """Attach each table whose class has an `__encoding__`, and return a report; a second call changes nothing.

    `classes` is a declarative base, a registry or mapped classes. If a class declares another encoder than its
    collection has, the next generation begins; a generation that is being built with a third encoder is dropped, as by
    `Database.reencode`. Nothing else is removed. If a class declares other columns or another table for an existing
    collection, nothing is done, and the error says what to do. A collection whose table was created again, or that has
    lost its triggers, is repaired, see `Database.repair`. `progress` is as in `Database.attach`.

    Several processes may call this at the same time. Of an engine only the URL is used, as by `connect`. If the engine
    needs `connect_args`, `creator` or listeners for `do_connect`, give a `Database` instead.
    """
    declared = declarations(classes)
    owned = not isinstance(database, Database)
    db = database_of(database) if not isinstance(database, Database) else database
    with db if owned else nullcontext():
        found = {each.name: each for each in db.collections()}
        pairs = [(each, found.get(each.name)) for each in declared]
        _check(db, pairs)
        done: dict[str, list[Any]] = {}
        for each, collection in pairs:
            repaired = collection is not None and _repair(db, each.name, progress)
            what, which = _update(db, each, collection, progress)
            if repaired:
                done.setdefault("repaired", []).append(each.name)
            if not repaired or what != "unchanged":
                done.setdefault(what, []).append(which)
        done["undeclared"] = sorted(found.keys() - {each.name for each in declared})
        return AttachReport(**{what: tuple(which) for what, which in done.items()})


def _check(db: Database, pairs: Sequence[tuple[Declared, Collection | None]]) -> None:
    """Raise CollectionExists for changes that would lose something."""
    for declared, collection in pairs:
        if collection is None:
            continue
        with db.connection() as connection:
            schema = catalog.find_source(connection, declared.table, declared.schema).schema
        if not declared.is_of(collection, schema):
            raise CollectionExists(
                f"the collection {declared.name!r} is of {collection.source_schema}.{collection.source_table}"
                f" ({', '.join(collection.columns)}), and a class declares {schema}.{declared.table}"
                f" ({', '.join(declared.columns)}); declare a second collection with another name,"
                " EncodedColumns(..., name=...), and detach the old one when the new one is complete; or detach the old"
                " one now, and searches find nothing until the new one is encoded"
            )


def _repair(db: Database, name: str, progress: Progress | None) -> bool:
    """Repair an existing collection if necessary; return True if it was."""
    with db.connection() as connection:
        sound = catalog.problem(connection, name) is None and catalog.warning(connection, name) is None
    if not sound:
        db.repair(name, progress=progress)
    return not sound


def _update(
    db: Database, declared: Declared, collection: Collection | None, progress: Progress | None
) -> tuple[str, object]:
    """Make one collection match its class; return the field of the report and the entry for it."""
    if collection is None:
        return _attach(db, declared, progress)
    found = _found(declared, collection)
    if found is not None:
        return found
    try:
        return _change(db, declared, collection, progress)
    except (CollectionError, InUse):
        # another process may have done the same meanwhile
        found = _found(declared, db.collection(declared.name))
        if found is None:
            raise
        return found


def _found(declared: Declared, collection: Collection) -> tuple[str, object] | None:
    """Return the field and the entry of the report for a collection that needs no change, else None."""
    fitting = {each.state: each for each in collection.generations if declared.encoding.fits(each)}
    if "active" in fitting:
        return "unchanged", declared.name
    if "building" in fitting:
        return "building", fitting["building"]
    return None


def _change(
    db: Database, declared: Declared, collection: Collection, progress: Progress | None
) -> tuple[str, Generation]:
    encoding = declared.encoding
    retired = [each for each in collection.generations if encoding.fits(each)]
    if retired:
        return "activated", db.activate(declared.name, retired[-1].number)
    begun = db.begin(
        declared.name,
        encoding.encoder(),
        encoding.tokens,
        encoding.chunking,
        encoding.lexical,
        encoding.pooling,
        progress=progress,
    )
    return "begun" if begun.is_new else "building", begun.generation


def _attach(db: Database, declared: Declared, progress: Progress | None) -> tuple[str, object]:
    encoding = declared.encoding
    try:
        db.attach(
            declared.table,
            declared.columns,
            encoding.encoder(),
            schema=declared.schema,
            name=declared.name,
            tokens=encoding.tokens,
            chunking=encoding.chunking,
            lexical=encoding.lexical,
            pooling=encoding.pooling or 1,
            progress=progress,
        )
    except CollectionExists:
        db.collection(declared.name)  # raises unless another process has attached it meanwhile
        return "unchanged", declared.name
    return "attached", declared.name
