"""A collection's generations: build the next beside the active one, swap, swap back, drop.

Every generation that is there stays in step with the source, the retired one too, so that swapping back is as good as
swapping was. Searches use the active one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects, all_of
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.locks import holders, lock_collection
from pgencoder.encoders import Encoder, model_names
from pgencoder.errors import (
    CollectionExists,
    GenerationConflict,
    GenerationIncomplete,
    InUse,
    UnknownGeneration,
)
from pgencoder.ingest import backfill, index
from pgencoder.ingest.backfill import Progress, patiently
from pgencoder.schema import objects, roles
from pgencoder.schema.attach import describe
from pgencoder.sql import Part, equal, identifier
from pgencoder.types import Chunking, Collection, Generation, TokenType

logger = logging.getLogger(__name__)

LOCK_TIMEOUT = "500ms"
SWAP_SECONDS = 60.0  # transactions that have searched keep the view as it is until they end

CreateSearch = Callable[[Connection, Objects], None]


def reencode(
    connection: Connection,
    name: str,
    encoder: Encoder,
    *,
    tokens: TokenType | None = None,
    chunking: Chunking | None = None,
    progress: Progress | None = None,
) -> tuple[Generation, int]:
    """Begin the next generation of a collection and queue its rows; returns it and their number.

    `tokens` and `chunking` are as in the active generation unless given; for an encoder without token vectors `tokens`
    are "none". That they stay "none" for one that has some is logged. Raises GenerationConflict if
    another generation is being built, and CollectionExists if the schema has something else of the names that this one
    needs.
    """

    def begin() -> Objects:
        with connection.transaction():
            collection = _locked(connection, name)
            building = [each for each in collection.generations if each.state == "building"]
            if building:
                raise GenerationConflict(
                    f"generation {building[0].number} of {name!r} is being built; activate or drop it first"
                )
            active = collection.generation
            kept = active.token_type if encoder.dims.tokens else "none"
            number = max(each.number for each in collection.generations) + 1
            generation = describe(name, number, "building", encoder, tokens or kept, chunking or active.chunking)
            made = replace(collection, generations=(*collection.generations, generation))
            parts = Objects(made, vector_schema(connection), generation)
            objects.become_owner(connection, parts.of(active))
            catalog.add_generation(connection, generation)
            connection.execute("SELECT pgencoder.check_free(%s, %s)", [name, number])
            objects.create_tables(connection, parts)
            # every change from here on is queued for the new generation too; see `_quiet`
            _quiet(connection, parts)
            objects.create_functions(connection, parts, made.generations)
            objects.create_policy(connection, parts)
            roles.grant(connection, parts)
        return parts

    try:
        parts = patiently(begin)
    except pg.DuplicateObject as error:
        raise CollectionExists(f"{str(error).splitlines()[0]}; remove that first") from error
    if tokens is None and parts.generation.token_type == "none" and encoder.dims.tokens:
        logger.warning(
            "generation %s of %r has dense vectors only, as the active one, though %s gives token vectors too; to store"
            " them, drop it and reencode with tokens='bit' (--tokens bit)",
            *(parts.generation.number, name, model_names(encoder.fingerprint)),
        )
    return parts.generation, backfill.queue_existing(connection, parts, progress)


def activate(connection: Connection, name: str, number: int | None, create_search: CreateSearch) -> Generation:
    """Let searches use another generation: the one being built unless a number is given.

    Raises GenerationIncomplete unless all that was there is encoded and indexed, and nothing is waiting in it that is
    not waiting in the active one too.
    """

    def swap() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            chosen = _choose(collection, number, "building", "activate")
            return _swap(connection, collection, chosen, create_search)

    return _swapped(connection, name, swap)


def rollback(connection: Connection, name: str, create_search: CreateSearch) -> Generation:
    """Let searches use the generation again that was active before; raises GenerationIncomplete like `activate`."""

    def swap() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            row = connection.execute(
                "SELECT number FROM pgencoder.generation WHERE collection OPERATOR(pg_catalog.=) %s"
                " AND state OPERATOR(pg_catalog.=) 'retired' ORDER BY activated_at DESC LIMIT 1",
                [name],
            ).fetchone()
            if row is None:
                raise UnknownGeneration(f"there is no generation of {name!r} to go back to")
            return _swap(connection, collection, _choose(collection, row[0], "retired", "roll back to"), create_search)

    return _swapped(connection, name, swap)


def drop(connection: Connection, name: str, number: int | None) -> Generation:
    """Remove a generation that is not active: the only such one unless a number is given."""

    def remove() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            chosen = _choose(collection, number, None, "drop")
            if chosen.state == "active":
                raise GenerationConflict(
                    f"generation {chosen.number} of {name!r} is active; activate another first, or: pgencoder detach"
                )
            parts = Objects(collection, vector_schema(connection), chosen)
            # first what readers may hold for long: writers must not queue behind that
            connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(parts.passages))
            if catalog.problem(connection, name) is None:  # else there may be no table whose changes are queued
                _quiet(connection, parts)
                left = [each for each in collection.generations if each is not chosen]
                objects.create_functions(connection, parts, left)
            objects.drop_generation(connection, parts)
        return chosen

    return patiently(remove)


def find(collection: Collection, number: int | None) -> Generation:
    """A generation by its number; without one, the generation that is being built, or else the active one."""
    if number is not None:
        return _choose(collection, number, None, "use")
    building = [each for each in collection.generations if each.state == "building"]
    return building[0] if building else collection.generation


def _locked(connection: Connection, name: str) -> Collection:
    """The collection, locked: one change of its generations at a time."""
    lock_collection(connection, name)
    return catalog.collection(connection, name)


def _quiet(connection: Connection, parts: Objects) -> None:
    """Wait until no writer is between its change and its commit, and keep the next ones out until ours.

    A writer that has begun with the trigger's old function commits before the backfill looks; one that begins later
    runs the new one. Gives up after half a second, so as not to hold up those who queue behind the lock, and is then
    tried again.
    """
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(parts.source))


def _choose(collection: Collection, number: int | None, state: str | None, what: str) -> Generation:
    others = [each for each in collection.generations if each.state != "active"]
    if number is None:
        fitting = [each for each in others if state is None or each.state == state]
        if len(fitting) == 1:
            return fitting[0]
        known = ", ".join(f"{each.number} ({each.state}, {model_names(each.encoder)})" for each in others)
        raise UnknownGeneration(
            f"which generation of {collection.name!r} to {what}? there is "
            + (f"{known}; give its number" if known else "only the active one; begin another with: pgencoder reencode")
        )
    for each in collection.generations:
        if each.number == number:
            return each
    known = ", ".join(str(each.number) for each in collection.generations)
    raise UnknownGeneration(f"{collection.name!r} has no generation {number}; it has: {known}")


def _swapped(connection: Connection, name: str, swap: Callable[[], Generation]) -> Generation:
    try:
        return patiently(swap, SWAP_SECONDS)
    except pg.LockNotAvailable as error:
        raise InUse(
            f"transactions that are open have searched {name!r} and keep it as it is: server processes"
            f" {holders(connection, f'{name}_passages')}; end them, and try again"
        ) from error


def _swap(
    connection: Connection, collection: Collection, chosen: Generation, create_search: CreateSearch
) -> Generation:
    if chosen.state == "active":
        raise GenerationConflict(f"generation {chosen.number} of {collection.name!r} is active already")
    catalog.check_problem(connection, collection.name)
    parts = Objects(collection, vector_schema(connection), chosen)
    _check_complete(connection, parts)
    generation = [collection.name, chosen.number]
    connection.execute(
        "UPDATE pgencoder.generation SET state = 'retired' WHERE collection OPERATOR(pg_catalog.=) %s"
        " AND state OPERATOR(pg_catalog.=) 'active'",
        generation[:1],
    )
    connection.execute(
        "UPDATE pgencoder.generation SET state = 'active', activated_at = pg_catalog.clock_timestamp()"
        " WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s",
        generation,
    )
    swapped = catalog.collection(connection, collection.name)
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    objects.become_owner(connection, parts)
    create_search(connection, Objects(swapped, parts.vector_schema))
    return swapped.generation


def _check_complete(connection: Connection, parts: Objects) -> None:
    active = parts.of(parts.collection.generation)

    def same(table: str) -> Part:
        return all_of(
            equal(identifier(table, column.name), identifier("n", column.name)) for column in parts.collection.key
        )

    statement = sql.SQL(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE n.run_after OPERATOR(pg_catalog.=) 'infinity')"
        " FROM {queue} n"
        " WHERE NOT EXISTS (SELECT FROM {active_queue} a WHERE {same_a})"
        " OR EXISTS (SELECT FROM {active} p WHERE {same_p}) AND NOT EXISTS (SELECT FROM {new} p WHERE {same_p})"
    ).format(
        queue=parts.queue,
        active_queue=active.queue,
        active=active.passages,
        new=parts.passages,
        same_a=same("a"),
        same_p=same("p"),
    )
    behind, failed = connection.execute(statement).fetchone() or (0, 0)
    generation = parts.generation
    reasons = []
    if not generation.queued:
        reasons.append("not all rows of the table are queued yet")
    if behind:
        reasons.append(f"{behind:,} rows are encoded in the active generation and not in this one")
    if failed:
        reasons.append(
            f"{failed:,} of them failed: see them in pgencoder.failed, fix or delete them, or: pgencoder retry"
        )
    if not behind and not backfill.indexed(connection, generation):
        failed_build = index.failure(connection, generation)
        reasons.append("its index is not built yet" if failed_build is None else str(failed_build))
    if reasons:
        raise GenerationIncomplete(
            f"generation {generation.number} of {generation.collection!r} is not complete: {'; '.join(reasons)};"
            " a worker will complete it: pgencoder worker"
        )
