"""Makes collections be what mapped classes declare."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.client import Database, database_of
from pgencoder.errors import CollectionError, CollectionExists, InUse
from pgencoder.ingest.backfill import Progress
from pgencoder.plain import short_repr
from pgencoder.sqlalchemy.declare import Classes, Declared, declarations
from pgencoder.types import Collection, Generation

if TYPE_CHECKING:  # it needs greenlet, which not everyone has
    from sqlalchemy.ext.asyncio import AsyncEngine


@short_repr
@dataclass(frozen=True)
class AttachReport:
    """What `attach_all` did and found; collections by their names.

    `attached` are new. `begun` are next generations that were begun because a class declares another encoder; searches
    use them after `activate`, when a worker or `sync` is done. `building` were begun before. `activated` were there
    from before and are used again. `repaired` had lost triggers or the like, or their table was made again.
    `undeclared` are collections that no class declares; nothing was done to them.
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
        """Tell whether anything was done."""
        return bool(self.attached or self.begun or self.activated or self.repaired)


def attach_all(
    classes: Classes,
    database: Database | sa.Engine | AsyncEngine | sa.URL | str,
    *,
    progress: Progress | None = None,
) -> AttachReport:
    """Make a collection of each table whose class has an `__encoding__`; a second time changes nothing.

    `classes` are a declarative base, a registry or mapped classes. Where a class declares another encoder than its
    collection has, the next generation is begun; one that is being built of a third encoder is given up, as by
    `Database.reencode`. Nothing else is removed: if a class declares other columns, or another
    table, for a collection that is there, nothing at all is done and the error says what to do. One whose table
    was made again, or that has lost its triggers, is repaired, see `Database.repair`. `progress` is as in
    `Database.attach`.

    Several processes may do this at once. Of an engine only its URL is taken, as by `connect`: what it was given
    besides, such as `connect_args`, `creator` or listeners for `do_connect`, is not known here; then give a `Database`.
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
            what, which = _make(db, each, collection, progress)
            if repaired:
                done.setdefault("repaired", []).append(each.name)
            if not repaired or what != "unchanged":
                done.setdefault(what, []).append(which)
        done["undeclared"] = sorted(found.keys() - {each.name for each in declared})
        return AttachReport(**{what: tuple(which) for what, which in done.items()})


def _check(db: Database, pairs: Sequence[tuple[Declared, Collection | None]]) -> None:
    """Raise CollectionExists for what cannot be done without losing something."""
    for declared, collection in pairs:
        if collection is None:
            continue
        with db.connection() as connection:
            schema = catalog.find_source(connection, declared.table, declared.schema).schema
        if not declared.is_of(collection, schema):
            raise CollectionExists(
                f"the collection {declared.name!r} is of {collection.source_schema}.{collection.source_table}"
                f" ({', '.join(collection.columns)}), and a class declares {schema}.{declared.table}"
                f" ({', '.join(declared.columns)}); declare that under another name beside it, Encoding(..., name=...),"
                " and detach the old one when the new one is complete; or detach it first, and searches find nothing"
                " until the new one is encoded"
            )


def _repair(db: Database, name: str, progress: Progress | None) -> bool:
    """Mend a collection that is there if need be, whether it was."""
    with db.connection() as connection:
        sound = catalog.problem(connection, name) is None and catalog.warning(connection, name) is None
    if not sound:
        db.repair(name, progress=progress)
    return not sound


def _make(
    db: Database, declared: Declared, collection: Collection | None, progress: Progress | None
) -> tuple[str, object]:
    """Do what is to be done for one collection; what that was, and to which."""
    if collection is None:
        return _attach(db, declared, progress)
    found = _found(declared, collection)
    if found is not None:
        return found
    try:
        return _change(db, declared, collection, progress)
    except (CollectionError, InUse):
        # another process may have done it in the meantime
        found = _found(declared, db.collection(declared.name))
        if found is None:
            raise
        return found


def _found(declared: Declared, collection: Collection) -> tuple[str, object] | None:
    """What is to be reported of a collection that needs nothing, else None."""
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
    begun = db._begin(declared.name, encoding.encoder(), encoding.tokens, encoding.chunking, progress)
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
            progress=progress,
        )
    except CollectionExists:
        db.collection(declared.name)  # another process was faster, or else this raises
        return "unchanged", declared.name
    return "attached", declared.name
