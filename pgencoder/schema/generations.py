"""A collection's generations: build the next beside the active one, swap, swap back, drop.

Every generation that is there stays in step with the source, the retired one too, so that swapping back is as good as
swapping was. Searches use the active one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects, queues_of
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.executor import Executor, run
from pgencoder.db.locks import limit_waiting, list_holders, lock_collection, patiently
from pgencoder.encoders import Encoder, model_names, same_encoder
from pgencoder.errors import (
    CollectionExists,
    GenerationConflict,
    GenerationIncomplete,
    InUse,
    UnknownGeneration,
)
from pgencoder.ingest import backfill, index
from pgencoder.progress import Progress
from pgencoder.representations import beside
from pgencoder.schema import functions, policy, roles, search, tables
from pgencoder.schema.attach import LEXICAL, describe
from pgencoder.schema.ownership import become_owner, by_source_owner
from pgencoder.statements import Part, query
from pgencoder.types import Chunking, Collection, Generation, TokenType

logger = logging.getLogger(__name__)

LOCK_TIMEOUT = "500ms"
SWAP_SECONDS = 60.0  # transactions that have searched keep the view as it is until they end


@dataclass(frozen=True)
class Begun:
    """A generation that is being built, the number of rows that were queued for it, and if it is new."""

    generation: Generation
    queued: int
    is_new: bool


def reencode(
    connection: Connection,
    name: str,
    encoder: Encoder,
    *,
    tokens: TokenType | None = None,
    chunking: Chunking | None = None,
    lexical: str | None = None,
    pooling: int | None = None,
    progress: Progress | None = None,
) -> Begun:
    """Begin the next generation of a collection, see `begin`, and queue its rows."""
    parts, is_new = begin(connection, name, encoder, tokens, chunking, lexical, pooling)
    if tokens is None and parts.generation.token_type == "none" and encoder.dims.tokens:
        logger.warning(
            "generation %s of %r has no token vectors, as the active one, though %s gives them; to store"
            " them, drop it and reencode with tokens='bit' (--tokens bit)",
            *(parts.generation.number, name, model_names(encoder.fingerprint)),
        )
    return Begun(parts.generation, backfill.queue_existing(connection, parts, progress), is_new)


def begin(
    executor: Executor,
    name: str,
    encoder: Encoder,
    tokens: TokenType | None = None,
    chunking: Chunking | None = None,
    lexical: str | None = None,
    pooling: int | None = None,
) -> tuple[Objects, bool]:
    """Begin the next generation of a collection, but do not queue its rows; returns it, and if it is new.

    `tokens`, `chunking`, `lexical` and `pooling` are as in the active generation unless given; for an encoder without
    token vectors `tokens` are "none". A generation that is being built goes on if it is of this encoder, and is removed
    if it is of another one. Raises CollectionExists if the schema has something else of the names that the generation
    needs.
    """

    def try_to() -> tuple[Objects, bool]:
        with executor.transaction():
            collection = _locked(executor, name)
            generation = _next(executor, collection, encoder, tokens, chunking, lexical, pooling)
            made = Objects(collection, vector_schema(executor), generation)
            for each in _building(collection):
                if is_as(each, generation):
                    return made.of(each), False
            left = _remove_building(executor, made)
            made = Objects(replace(collection, generations=(*left, generation)), made.vector_schema, generation)
            become_owner(executor, made.of(collection.generation))
            run(executor, [catalog.add_generation(generation), _check_free(made), tables.create(made)])
            # every change from here on is queued for the new generation too; see `_quiet`
            _quiet(executor, made)
            made_functions = functions.create(made, made.collection.generations)
            run(executor, [*made_functions, policy.create(made), roles.grant(made)])
        return made, True

    try:
        return patiently(try_to)
    except pg.DuplicateObject as error:
        raise CollectionExists(f"{str(error).splitlines()[0]}; remove that first") from error


def use(
    executor: Executor,
    name: str,
    encoder: Encoder,
    tokens: TokenType | None = None,
    chunking: Chunking | None = None,
    lexical: str | None = None,
    pooling: int | None = None,
) -> None:
    """Let a collection be encoded by this encoder: begin the next generation, unless there is one as wanted.

    If that is the active one, or the one that is being built, nothing is begun. A retired one is activated. What is
    being built of another encoder is removed.
    """
    collection = catalog.collection(executor, name)
    catalog.check_problem(executor, name)
    wanted = _next(executor, collection, encoder, tokens, chunking, lexical, pooling)
    states = {each.state: each for each in collection.generations if is_as(each, wanted)}
    if "building" in states or not states:
        begin(executor, name, encoder, tokens, chunking, lexical, pooling)
        return
    if "active" not in states:
        activate(executor, name, states["retired"].number)
    with executor.transaction():
        _remove_building(executor, Objects(_locked(executor, name), vector_schema(executor)))


def is_as(one: Generation, other: Generation) -> bool:
    """Return True if two generations are of one encoder and have the same representations and chunking."""
    return (one.representations, one.chunking) == (other.representations, other.chunking) and same_encoder(
        one.encoder, other.encoder
    )


def _next(
    executor: Executor,
    collection: Collection,
    encoder: Encoder,
    tokens: TokenType | None,
    chunking: Chunking | None,
    lexical: str | None,
    pooling: int | None,
) -> Generation:
    """Describe the next generation; see `begin`."""
    active = collection.generation
    kept = None if not active.dims.dense else active.token_type if encoder.dims.tokens else "none"
    number = max(each.number for each in collection.generations) + 1
    others = beside(active.representations)
    if lexical is not None:
        others = (*(each for each in others if each.name != LEXICAL), *catalog.lexical(executor, lexical))
    tokens = tokens or kept
    if pooling is None:
        pooling = 1 if tokens == "none" else active.pooling
    return describe(
        collection.name, number, "building", encoder, tokens, chunking or active.chunking, others, pooling=pooling
    )


def _building(collection: Collection) -> list[Generation]:
    return [each for each in collection.generations if each.state == "building"]


def _remove_building(executor: Executor, parts: Objects) -> list[Generation]:
    """Remove the generations that are being built; returns the others."""
    left = [each for each in parts.collection.generations if each.state != "building"]
    for each in _building(parts.collection):
        logger.warning("generation %s of %r is removed: it was being built otherwise", *_place(each))
        _remove(executor, parts.of(each), left)
    return left


def _place(generation: Generation) -> tuple[int, str]:
    return generation.number, generation.collection


def _check_free(parts: Objects) -> Part:
    return sql.SQL("SELECT pgencoder._check_free({}, {})").format(parts.name, parts.number)


def activate(connection: Executor, name: str, number: int | None) -> Generation:
    """Let searches use another generation: the one being built unless a number is given.

    Raises GenerationIncomplete unless its rows are encoded and indexed. A row may wait in it only if the row waits in
    the active one too.
    """

    def swap() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            chosen = _choose(collection, number, "building", "activate")
            return _swap(connection, collection, chosen)

    return _swapped(connection, name, swap)


def rollback(connection: Executor, name: str) -> Generation:
    """Let searches use the generation that was active before; raises GenerationIncomplete like `activate`."""

    def swap() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            row = connection.execute(query("last_retired"), [name]).fetchone()
            if row is None:
                raise UnknownGeneration(f"there is no generation of {name!r} to go back to")
            return _swap(connection, collection, _choose(collection, row[0], "retired", "roll back to"))

    return _swapped(connection, name, swap)


def drop(connection: Executor, name: str, number: int | None) -> Generation:
    """Remove a generation that is not active: the only such one unless a number is given."""

    def remove() -> Generation:
        with connection.transaction():
            collection = _locked(connection, name)
            chosen = _choose(collection, number, None, "drop")
            if chosen.state == "active":
                raise GenerationConflict(
                    f"generation {chosen.number} of {name!r} is active; activate another first, or: pgencoder detach"
                )
            left = [each for each in collection.generations if each is not chosen]
            _remove(connection, Objects(collection, vector_schema(connection), chosen), left)
        return chosen

    return patiently(remove)


def _remove(executor: Executor, parts: Objects, left: Sequence[Generation]) -> None:
    """Remove the generation of `parts`; changes are then queued for those that are `left`."""
    # first what readers may hold for long: writers must not queue behind that
    limit_waiting(executor, LOCK_TIMEOUT)
    executor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(parts.passages))
    _queue_only(executor, parts, left)
    executor.execute(sql.SQL("SELECT pgencoder._drop_generation({}, {})").format(parts.name, parts.number))


def _queue_only(executor: Executor, parts: Objects, left: Sequence[Generation]) -> None:
    """Let the triggers queue changes for these generations only.

    Without the table there are no triggers. Raises InvalidSource if the table has another name now, because its
    triggers would go on writing into a queue that is gone, and every write of the application would fail.
    """
    named = catalog.find_table(executor, parts.collection)
    attached = catalog.attached_table(executor, parts.collection)
    if attached is not None and attached != named:
        catalog.check_problem(executor, parts.collection.name)
    if named is not None:
        _quiet(executor, parts)
        run(executor, by_source_owner(parts, [functions.create_changed(parts, queues_of(parts, left))]))


def find(collection: Collection, number: int | None) -> Generation:
    """Find a generation by its number; without one, the generation that is being built, or else the active one."""
    if number is not None:
        return _choose(collection, number, None, "use")
    building = [each for each in collection.generations if each.state == "building"]
    return building[0] if building else collection.generation


def _locked(connection: Executor, name: str) -> Collection:
    """Lock a collection, so that its generations are changed by one process at a time, and return it."""
    lock_collection(connection, name)
    return catalog.collection(connection, name)


def _quiet(connection: Executor, parts: Objects) -> None:
    """Wait until no writer is between its change and its commit, and keep the next ones out until ours.

    A writer that has called the trigger's old function commits before the backfill looks. A later writer calls the new
    one. This stops after half a second, so that others do not wait behind it, and is tried again.
    """
    limit_waiting(connection, LOCK_TIMEOUT)
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


def _swapped(connection: Executor, name: str, swap: Callable[[], Generation]) -> Generation:
    try:
        return patiently(swap, SWAP_SECONDS)
    except pg.LockNotAvailable as error:
        raise InUse(
            f"transactions that are open have searched {name!r} and keep it as it is: server processes"
            f" {list_holders(connection, f'{name}_passages')}; end them, and try again"
        ) from error


def _swap(connection: Executor, collection: Collection, chosen: Generation) -> Generation:
    if chosen.state == "active":
        raise GenerationConflict(f"generation {chosen.number} of {collection.name!r} is active already")
    catalog.check_problem(connection, collection.name)
    parts = Objects(collection, vector_schema(connection), chosen)
    _check_complete(connection, parts)
    connection.execute(query("retire_active"), [collection.name])
    connection.execute(query("activate"), [collection.name, chosen.number])
    swapped = catalog.collection(connection, collection.name)
    limit_waiting(connection, LOCK_TIMEOUT)
    become_owner(connection, parts)
    search.replace(connection, Objects(swapped, parts.vector_schema))
    return swapped.generation


def _check_complete(connection: Executor, parts: Objects) -> None:
    active = parts.of(parts.collection.generation)

    statement = query("behind").format(
        queue=parts.queue,
        active_queue=active.queue,
        active=active.passages,
        new=parts.passages,
        waits_in_active=parts.key.is_both("active", "waiting"),
        is_in_active=parts.key.is_both("passage", "waiting"),
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
