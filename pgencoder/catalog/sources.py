"""Looks at the tables of users: those that are attached, or may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors as pg

from pgencoder.db.connection import read_only, user_search_path
from pgencoder.db.executor import Executor
from pgencoder.errors import InvalidSource
from pgencoder.statements import as_text, own, query
from pgencoder.types import Collection, KeyColumn

# Names that a key column cannot have in the passages table, the queue and the search function's arguments
TAKEN = frozenset(
    [
        "passage",
        "span",
        "content",
        "content_hash",
        "truncated",
        "row_hash",
        "mostly_unknown",
        "dense",
        "tokens",
        "lexical",
        "lexical_terms",
        "sparse",
        "sparse_terms",
        "whole",
        "seq",
        "attempts",
        "run_after",
        "claimed_until",
        "last_error",
        "changed_at",
        "distance",
        "score",
        "relevance",
        "recall_rank",
        "dense_score",
        "parts",
        "query_dense",
        "query_tokens",
        "query_encoder",
        "query_text",
        "query_sparse",
        "own_encoder",
        "k",
        "candidates",
        "filter",
        "group_by",
        "fusion",
        "weights",
        "boost",
        "min_relevance",
        "n",
        "statement",
        "wanted",
        "boosted",
        "fused",
        "relevant",
        "is_usual",
        # what the text of the function begins with
        "variable_conflict",
        "use_column",
    ]
)

_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


@dataclass(frozen=True)
class SourceTable:
    """A table with a primary key; `virtual` are its generated columns that are not stored."""

    schema: str
    table: str
    key: tuple[KeyColumn, ...]
    columns: tuple[str, ...]
    virtual: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """A table or view: its columns' names and types."""

    schema: str
    table: str
    columns: dict[str, str]


def find_source(executor: Executor, table: str, schema: str | None = None) -> SourceTable:
    """Look up a table: its literal name on the search path or in `schema`, else as SQL would read `table`.

    Raises InvalidSource for what is not there, is not a table, or has no primary key.
    """
    oid = _find(executor, table, schema)
    if oid is None:
        where = f" in schema {schema!r}" if schema else " on the search path; give its schema: blog.articles"
        raise InvalidSource(f"no table {table!r}{where}")
    schema, name, kind, quoted = executor.execute(query("describe_relation"), [oid]).fetchone()
    if kind not in ("r", "p"):
        what = _KINDS.get(kind, "not a table")
        raise InvalidSource(f"{table!r} is {what}, whose changes no trigger sees; attach the table behind it")
    key = _key(executor, oid)
    if not key:
        raise InvalidSource(
            f"table {table!r} has no primary key, so its passages could not be told apart;"
            f" add one: ALTER TABLE {quoted} ADD PRIMARY KEY (...)"
        )
    columns = executor.execute(query("relation_columns"), [oid]).fetchall()
    virtual = tuple(column for column, _, is_virtual in columns if is_virtual)
    return SourceTable(schema, name, key, tuple(column for column, *_ in columns), virtual)


def find_columns(executor: Executor, table: str, schema: str | None = None) -> Columns:
    """Look up anything that has columns, by the rules of `find_source`; raises InvalidSource."""
    oid = _find(executor, table, schema)
    if oid is None:
        raise InvalidSource(f"no table {table!r}")
    schema, name, *_ = executor.execute(query("describe_relation"), [oid]).fetchone()
    with _spelled_out(executor):
        rows = executor.execute(query("relation_columns"), [oid]).fetchall()
    return Columns(schema, name, {column: type_ for column, type_, _ in rows})


def find_table(executor: Executor, collection: Collection) -> int | None:
    """Return the oid of the table that has the name of a collection's source, None without one."""
    place = [collection.source_schema, collection.source_table]
    row = executor.execute(query("find_named"), place).fetchone()
    return int(row[0]) if row is not None and row[1] in ("r", "p") else None


def attached_table(executor: Executor, collection: Collection) -> int | None:
    """Return the oid of the table that a collection was attached to, None if it was dropped."""
    row = executor.execute(
        "SELECT pgencoder._attached_table(pg_catalog.to_regclass(%s))", [as_text(own(collection.generation.passages))]
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def free_names(sources: Sequence[str]) -> list[str]:
    """Name the key's columns in the passages table: as in the source, but `_key` after a taken name, no `$` first."""
    used = TAKEN | set(sources)
    names = []
    for name in sources:
        free = name.lstrip("$") or "key"  # $1 is the first parameter's name
        while free in TAKEN or (free != name and free in used):
            free += "_key"
        names.append(free)
        used = used | {free}
    return names


@contextmanager
def _spelled_out(executor: Executor) -> Iterator[None]:
    """Let the server write types outside of pg_catalog with their schema, whatever the search path is."""
    with read_only(executor):
        executor.execute("SET LOCAL search_path = pg_catalog")
        yield


def _find(executor: Executor, table: str, schema: str | None) -> int | None:
    if schema is not None:
        there = executor.execute(query("find_named"), [schema, table]).fetchone()
        return None if there is None else int(there[0])
    for name in ("pg_catalog.quote_ident(%s)", "%s"):
        try:
            with user_search_path(executor):
                found = executor.execute(f"SELECT pg_catalog.to_regclass({name})::pg_catalog.oid", [table]).fetchone()
        except (pg.InvalidName, pg.SyntaxError, pg.FeatureNotSupported):
            return None
        if found is not None and found[0] is not None:
            return int(found[0])
    return None


def _key(executor: Executor, oid: int) -> tuple[KeyColumn, ...]:
    rows = executor.execute(query("source_key"), [oid]).fetchall()
    for name, type_, _, usable in rows:
        if not usable:
            raise InvalidSource(
                f"the key column {name!r} is of type {type_}, which brings its own comparison or other functions; as a"
                " key only enums and types of Postgres itself can be used, such as text, uuid or bigint"
            )
    names = free_names([row[0] for row in rows])
    return tuple(KeyColumn(row[0], name, row[1], row[2]) for row, name in zip(rows, names, strict=True))
