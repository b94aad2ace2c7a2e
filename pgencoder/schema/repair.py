"""Repairs a collection: makes its lost objects again, takes the table that now has its name, follows a changed key.

Vectors are kept: a row that has not changed is not encoded again. Searches are refused until all passages of another
table are gone. For so long the passages have no policy, and the policy says to which table a collection is attached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.executor import run
from pgencoder.db.locks import limit_waiting, lock_collection, patiently
from pgencoder.errors import InvalidSource
from pgencoder.ingest import backfill, counting, index
from pgencoder.ingest.reconcile import reconcile, total
from pgencoder.progress import Progress
from pgencoder.results import RepairReport
from pgencoder.schema import functions, policy, roles, search, tables, triggers, view
from pgencoder.schema.dependents import named_dependents
from pgencoder.schema.generations import LOCK_TIMEOUT
from pgencoder.schema.ownership import become_owner
from pgencoder.statements import as_text, identifier, listed, own, query, raw, text_of
from pgencoder.types import Collection, KeyColumn


@dataclass(frozen=True)
class _Repaired:
    """A collection that is repaired but for its policies.

    `table` is the oid of its table, an `other` one than before or not. `keys` says which key columns have changed their
    types. `unindexed` are the generations that have lost their index.
    """

    parts: Objects
    table: int | None
    keys: tuple[str, ...]
    unindexed: frozenset[int]
    other: bool


def repair(connection: Connection, name: str, progress: Progress | None = None) -> RepairReport:
    """Repair a collection, for the table that now has its name, and queue what differs.

    `progress` is called with the rows compared. Raises InvalidSource for what cannot be repaired, and says why.
    """
    problem = catalog.problem(connection, name) or catalog.warning(connection, name)

    def rebuild() -> _Repaired:
        with named_dependents(), connection.transaction():
            limit_waiting(connection, LOCK_TIMEOUT)
            return _rebuild(connection, name)

    def bind() -> None:
        with connection.transaction():
            limit_waiting(connection, LOCK_TIMEOUT)
            _bind(connection, name, repaired.table)

    repaired = patiently(rebuild)
    each = [repaired.parts.of(generation) for generation in repaired.parts.collection.generations]
    reports = [reconcile(connection, one, progress=progress) for one in each]
    removed = sum(_remove(connection, one) for one in each) if repaired.other else 0
    patiently(bind)
    for one in each:
        if one.generation.number in repaired.unindexed:
            index.build(connection, one)
        if one.counted:
            counting.count(connection, one)
    return RepairReport(problem, repaired.keys, removed, total(reports))


def _rebuild(connection: Connection, name: str) -> _Repaired:
    """Repair everything but the policies, which let searches find something."""
    lock_collection(connection, name)
    collection = catalog.collection(connection, name)
    key = _key(connection, collection)
    parts = Objects(replace(collection, key=key), vector_schema(connection))
    become_owner(connection, parts)
    changed = [(old, new) for old, new in zip(collection.key, key, strict=True) if old != new]
    table = catalog.find_table(connection, collection)
    other = catalog.attached_table(connection, collection) != table
    _drop_functions(connection, Objects(collection, parts.vector_schema), policies=bool(changed) or other)
    unindexed = set()
    for generation in collection.generations:
        each = parts.of(generation)
        if not _complete(connection, each):
            _drop_tables(connection, each)
            connection.execute(tables.create(each))
        elif changed and _convert(connection, each, changed):
            unindexed.add(generation.number)
        connection.execute(tables.create_terms(each))
    for column in key:
        connection.execute(query("change_key"), [column.type, column.collation, name, column.source])
    run(connection, [*functions.create(parts, collection.generations), *triggers.create(parts)])
    search.replace_typed(connection, parts)
    keys = tuple(f"{new.source}: {_typed(old)} to {_typed(new)}" for old, new in changed)
    return _Repaired(parts, table, keys, frozenset(unindexed), other)


def _bind(connection: Connection, name: str, table: int | None) -> None:
    """Make the policies, if the collection is sound and its table is the one that was compared."""
    lock_collection(connection, name)
    collection = catalog.collection(connection, name)
    parts = Objects(collection, vector_schema(connection))
    become_owner(connection, parts)
    each = [parts.of(generation) for generation in collection.generations]
    run(connection, map(policy.create, each))
    # by the policy, which stays with the table that it found: the name may have passed on at any moment
    if catalog.attached_table(connection, collection) != table:
        raise InvalidSource(
            f"the table of the collection {name!r} was replaced by another one during the repair; run it again:"
            f" pgencoder repair {name}"
        )
    run(connection, map(roles.grant, each))
    catalog.check_problem(connection, name)


def _key(connection: Connection, collection: Collection) -> tuple[KeyColumn, ...]:
    """Read the key as the table has it now; raises InvalidSource for a table that cannot be the collection's."""
    if catalog.find_table(connection, collection) is None:
        catalog.check_problem(connection, collection.name)
    source = catalog.find_source(connection, collection.source_table, collection.source_schema)
    old, new = [[column.source for column in key] for key in (collection.key, source.key)]
    wrong = []
    if missing := [column for column in collection.columns if column not in source.columns]:
        wrong.append(f"its table has no column {', '.join(missing)} any more")
    if old != new:
        wrong.append(f"the primary key of its table is ({', '.join(new)}), not ({', '.join(old)})")
    wrong += [
        f"its key {after.source!r} is the enum {after.type} now, not {before.type}"
        for before, after in zip(collection.key, source.key, strict=False)
        if after.enum and before.type != after.type
    ]
    if wrong:
        raise InvalidSource(
            f"collection {collection.name!r} cannot be repaired: {'; '.join(wrong)}; repair the table, or detach the"
            f" collection and attach it again: pgencoder detach {collection.name}"
        )
    return source.key


def _convert(connection: Connection, parts: Objects, changed: Sequence[tuple[KeyColumn, KeyColumn]]) -> bool:
    """Give the key columns of a generation their new types; return True if that drops the index on its vectors."""
    rewritten = any(not _same_bytes(connection, old, new) for old, new in changed)
    unindexed = rewritten and backfill.indexed(connection, parts.generation)
    if unindexed:  # a later build is far faster, because it has more memory, and nobody waits for it
        connection.execute(sql.SQL("DROP INDEX {}").format(listed(map(own, parts.generation.indexes))))
    _drop_views(connection, parts)
    for table in (parts.passages, parts.queue):
        for old, new in changed:
            name = identifier(new.name)
            value = text_of(name) if old.enum else name
            statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {} {} USING {}::{}").format(
                *(table, name, raw(new.full_type), raw(f"COLLATE {new.collation}" if new.collation else "")),
                *(value, raw(new.full_type)),
            )
            try:
                connection.execute(statement)
            except pg.DataError as error:
                raise InvalidSource(
                    f"the keys of {as_text(table)} do not fit {new.type}: {error.diag.message_primary}; remove those"
                    f" rows first, or: pgencoder detach {parts.collection.name}"
                ) from error
            except pg.CannotCoerce as error:
                raise InvalidSource(
                    f"no {new.type} can be made of the {old.type} in {as_text(table)}; detach the collection and attach"
                    f" it again: pgencoder detach {parts.collection.name}"
                ) from error
    return unindexed


def _same_bytes(connection: Connection, old: KeyColumn, new: KeyColumn) -> bool:
    """Return True if both types store a value in the same bytes, so that no table and no index is written again."""
    row = connection.execute(query("same_bytes"), [old.type, new.type]).fetchone()
    return row == (True,) and old.collation == new.collation


def _remove(connection: Connection, parts: Objects) -> int:
    """Remove the passages of rows that are queued: they are of other rows, which had the same keys."""
    same = parts.key.is_both("passage", "queue")
    statement = sql.SQL("DELETE FROM {} AS passage USING {} AS queue WHERE {}").format(parts.write, parts.queue, same)
    return connection.execute(statement).rowcount


def _typed(column: KeyColumn) -> str:
    return f"{column.type} COLLATE {column.collation}" if column.collation else column.type


def _complete(connection: Connection, parts: Objects) -> bool:
    """Return True if the tables of a generation have all their columns: DROP EXTENSION removes some."""
    columns = ["passage", "span", "content", "content_hash", "truncated", "row_hash"]
    columns += [column.name for each in parts.generation.representations for column in each.columns(parts.vector)]
    columns += [column.name for column in parts.collection.key]
    names = {"queue": as_text(parts.queue), "passages": as_text(parts.passages), "columns": columns}
    row = connection.execute(query("is_complete"), names).fetchone()
    return row == (True,)


def replaceable(connection: Connection, parts: Objects) -> bool:
    """Return True if the functions of a collection can be made for the table that now has its name.

    They cannot if that is another table: only people may let a repair take it.
    """
    collection = parts.collection
    named = catalog.find_table(connection, collection)
    return (
        named is not None
        and named == catalog.attached_table(connection, collection)
        and all(_complete(connection, parts.of(generation)) for generation in collection.generations)
    )


def drop_unsafe(connection: Connection, parts: Objects) -> bool:
    """Drop triggers that run as a superuser on a table of another role; return True if there were any.

    The owner of the table could run anything in them, by the types of the table.
    """
    unsafe = connection.execute(query("runs_as_superuser"), [as_text(parts.changed) + "()"]).fetchone()
    if unsafe is not None:
        connection.execute(sql.SQL("DROP FUNCTION {}() CASCADE").format(parts.changed))
    return unsafe is not None


def _drop_tables(connection: Connection, parts: Objects) -> None:
    """Remove the tables of a generation, and the views on them."""
    _drop_views(connection, parts)
    for table in (parts.passages, parts.queue, parts.terms):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))


def _drop_views(connection: Connection, parts: Objects) -> None:
    """Remove the views on a generation's passages; raises HasDependents if a user's view depends on them."""
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}, {}, {}").format(parts.write, parts.by_lexical, parts.by_sparse))
    view.drop(connection, parts)


def _drop_functions(connection: Connection, parts: Objects, *, policies: bool) -> None:
    """Remove the functions of a collection, with its triggers, and its policies if `policies`.

    The search function stays, with what is granted on it: see `search.replace_typed`.
    """
    names = {"changed": parts.changed, "read": parts.read, "scan": parts.scan, "arrays": parts.key.array_types}
    connection.execute(query("drop_read").format(**names))
    if policies:
        for generation in parts.collection.generations:
            policy.drop(connection, parts.of(generation))
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}, {}").format(parts.by_lexical, parts.by_sparse))
        types = listed(parts.key.types)
        connection.execute(
            sql.SQL("DROP FUNCTION IF EXISTS {}({}, pg_catalog.bytea), {}()").format(parts.visible, types, parts.rows)
        )
