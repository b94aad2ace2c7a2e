"""Reads and writes the catalogue, and looks at source tables."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import groupby
from typing import Any, LiteralString

from psycopg import errors as pg
from psycopg import sql

from pgencoder.catalog.keys import as_set
from pgencoder.db.connection import looking, names_of_users
from pgencoder.db.executor import Executor
from pgencoder.errors import InvalidRequest, InvalidSource, UnknownCollection
from pgencoder.sql import Part, as_text, identifier, listed, own, query
from pgencoder.types import Collection, Dims, Generation, KeyColumn

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
        "seq",
        "attempts",
        "run_after",
        "claimed_until",
        "last_error",
        "changed_at",
        "score",
        "recall_rank",
        "dense_score",
        "query_dense",
        "query_tokens",
        "query_encoder",
        "own_encoder",
        "k",
        "candidates",
        "filter",
        "group_by",
        "n",
        "statement",
    ]
)

_COLLECTIONS = """
SELECT c.name, c.source_schema, c.source_table, c.columns,
       (SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_array(k.source, k.name, k.type, k.collate_as) ORDER BY k.position)
        FROM pgencoder.collection_key k WHERE k.collection OPERATOR(pg_catalog.=) c.name),
       g.number, g.state, g.encoder, g.dense_dims, g.token_dims, g.token_type, g.chunking, g.queued_at IS NOT NULL
FROM pgencoder.collection c JOIN pgencoder.generation g ON g.collection OPERATOR(pg_catalog.=) c.name
"""


@dataclass(frozen=True)
class Source:
    """A table as the server describes it.

    `virtual` are the generated columns that are not stored.
    """

    schema: str
    table: str
    key: tuple[KeyColumn, ...]
    columns: tuple[str, ...]
    virtual: tuple[str, ...]


def collections(connection: Executor) -> list[Collection]:
    """All collections by name."""
    return _read(connection, "", [])


def collection(connection: Executor, name: str) -> Collection:
    """One collection; raises UnknownCollection, naming those there are."""
    if not isinstance(name, str):
        raise InvalidRequest(f"a collection's name is a text, got {type(name).__name__}")
    found = _read(connection, " WHERE c.name OPERATOR(pg_catalog.=) %s", [name])
    if found:
        return found[0]
    names = [c.name for c in collections(connection)]
    known = f"there are: {', '.join(names)}" if names else "there is none yet; make one with: pgencoder attach"
    raise UnknownCollection(f"no collection {name!r}; {known}")


def _read(connection: Executor, where: LiteralString, parameters: Sequence[Any]) -> list[Collection]:
    rows = connection.execute(_COLLECTIONS + where + " ORDER BY c.name, g.number", parameters).fetchall()
    return [_collection(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def description(collection: Collection) -> dict[str, Any]:
    """What the function `<name>_active` says of the active generation: all that a search of it depends on."""
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


def add_generation(generation: Generation) -> Part:
    """Return the statement that writes a generation; the first one is active from the start."""
    return query("add_generation").format(
        collection=sql.Literal(generation.collection),
        number=sql.Literal(generation.number),
        state=sql.Literal(generation.state),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        dense_dims=sql.Literal(generation.dims.dense),
        token_dims=sql.Literal(generation.dims.tokens),
        token_type=sql.Literal(generation.token_type),
        chunking=sql.Literal(generation.chunking),
        is_active=sql.Literal(generation.state == "active"),
    )


def find_source(connection: Executor, table: str, schema: str | None = None) -> Source:
    """Look up a table: its literal name on the search path or in `schema`, else as SQL would read `table`.

    Raises InvalidSource for what is not there, is not a table, or has no primary key.
    """
    oid = _find(connection, table, schema)
    if oid is None:
        raise InvalidSource(
            f"no table {table!r}"
            + (f" in schema {schema!r}" if schema else " on the search path; give its schema: blog.articles")
        )
    row = connection.execute(
        "SELECT n.nspname, c.relname, c.relkind::pg_catalog.text FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.oid OPERATOR(pg_catalog.=) %s",
        [oid],
    ).fetchone()
    assert row is not None
    schema, name, kind = row
    if kind not in ("r", "p"):
        what = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}.get(kind, "not a table")
        raise InvalidSource(f"{table!r} is {what}, whose changes no trigger sees; attach the table behind it")
    key = _key(connection, oid)
    if not key:
        raise InvalidSource(
            f"table {table!r} has no primary key, so its passages could not be told apart;"
            f" add one: ALTER TABLE {_quoted(connection, oid)} ADD PRIMARY KEY (...)"
        )
    columns = connection.execute(
        "SELECT attname, attgenerated OPERATOR(pg_catalog.=) 'v' FROM pg_catalog.pg_attribute"
        " WHERE attrelid OPERATOR(pg_catalog.=) %s AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [oid],
    ).fetchall()
    return Source(
        schema,
        name,
        key,
        tuple(c for c, _ in columns),
        tuple(c for c, virtual in columns if virtual),
    )


def find_table(connection: Executor, collection: Collection) -> int | None:
    """The oid of the table that has the name of a collection's source, None without one."""
    row = connection.execute(
        "SELECT c.oid FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE n.nspname OPERATOR(pg_catalog.=) %s AND c.relname OPERATOR(pg_catalog.=) %s"
        " AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog.\"char\"[])",
        [collection.source_schema, collection.source_table],
    ).fetchone()
    return None if row is None else int(row[0])


def attached_table(connection: Executor, collection: Collection) -> int | None:
    """The oid of the table that a collection was attached to, None if it was dropped."""
    row = connection.execute(
        "SELECT pgencoder.attached_table(pg_catalog.to_regclass(%s))", [as_text(own(collection.generation.passages))]
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def problem(connection: Executor, name: str) -> str | None:
    """Why a collection cannot be encoded, None if it can."""
    return _said(connection, "SELECT pgencoder.source_problem(%s)", name)


def warning(connection: Executor, name: str) -> str | None:
    """Why changes of a collection's table may go unseen, None if they do not."""
    return _said(connection, "SELECT pgencoder.source_warning(%s)", name)


def warn(connection: Executor, name: str, failure: str | None = None) -> None:
    """Warn of `failure`, from which problems may follow, or of what is wrong with a collection, if anything is."""
    found = failure or problem(connection, name) or warning(connection, name)
    if found is not None:
        warnings.warn(f"collection {name!r}: {found}", stacklevel=2)


def check_problem(connection: Executor, name: str) -> None:
    """Raise InvalidSource with what is wrong with a collection, and what to do."""
    found = problem(connection, name)
    if found is not None:
        raise InvalidSource(f"collection {name!r}: {found}")


def check_source(connection: Executor, collection: Collection) -> None:
    """Raise InvalidSource if the table of the source's name is not the one that was attached."""
    named = find_table(connection, collection)
    if named is None or named != attached_table(connection, collection):
        check_problem(connection, collection.name)


def _said(connection: Executor, statement: LiteralString, name: str) -> str | None:
    row = connection.execute(statement, [name]).fetchone()
    return None if row is None else row[0]


@dataclass(frozen=True)
class Columns:
    """A table or view: its columns' names and types."""

    schema: str
    table: str
    columns: dict[str, str]


def find_columns(connection: Executor, table: str, schema: str | None = None) -> Columns:
    """Look up anything that has columns, by the rules of `find_source`; raises InvalidSource."""
    oid = _find(connection, table, schema)
    if oid is None:
        raise InvalidSource(f"no table {table!r}")
    with _spelled_out(connection):
        rows = connection.execute(
            "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, NULL)"
            " FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
            " WHERE c.oid OPERATOR(pg_catalog.=) %s AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
            " ORDER BY a.attnum",
            [oid],
        ).fetchall()
    return Columns(rows[0][0], rows[0][1], {row[2]: row[3] for row in rows})


@contextmanager
def _spelled_out(connection: Executor) -> Iterator[None]:
    """Types outside of pg_catalog are written with their schema, whatever the search path is."""
    with looking(connection):
        connection.execute("SET LOCAL search_path = pg_catalog")
        yield


def _find(connection: Executor, table: str, schema: str | None) -> int | None:
    if schema is not None:
        there = connection.execute(
            "SELECT c.oid FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE n.nspname OPERATOR(pg_catalog.=) %s AND c.relname OPERATOR(pg_catalog.=) %s",
            [schema, table],
        ).fetchone()
        return None if there is None else there[0]
    with names_of_users(connection):
        found = connection.execute(
            "SELECT pg_catalog.to_regclass(pg_catalog.quote_ident(%s))::pg_catalog.oid", [table]
        ).fetchone()
    if found is not None and found[0] is not None:
        return found[0]  # type: ignore[no-any-return]
    try:
        with names_of_users(connection):
            found = connection.execute("SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid", [table]).fetchone()
    except (pg.InvalidName, pg.SyntaxError, pg.FeatureNotSupported):
        return None
    assert found is not None
    return found[0]  # type: ignore[no-any-return]


def _quoted(connection: Executor, oid: int) -> str:
    row = connection.execute("SELECT %s::pg_catalog.oid::pg_catalog.regclass::pg_catalog.text", [oid]).fetchone()
    assert row is not None
    return str(row[0])


def _key(connection: Executor, oid: int) -> tuple[KeyColumn, ...]:
    rows = connection.execute(
        "SELECT name, type, collate_as, usable FROM pgencoder.source_key(%s::pg_catalog.oid)", [oid]
    ).fetchall()
    for name, type_, _, usable in rows:
        if not usable:
            raise InvalidSource(
                f"the key column {name!r} is of type {type_}, which brings its own comparison or other functions; as a"
                " key only enums and types of Postgres itself can be used, such as text, uuid or bigint"
            )
    names = free_names([row[0] for row in rows])
    return tuple(KeyColumn(row[0], name, row[1], row[2]) for row, name in zip(rows, names, strict=True))


def free_names(sources: Sequence[str]) -> list[str]:
    """The key's names in the passages table: its own, but `_key` after those that are taken and no `$` before."""
    used = TAKEN | set(sources)
    names = []
    for name in sources:
        free = name.lstrip("$") or "key"  # $1 is the first parameter's name
        while free in TAKEN or (free != name and free in used):
            free += "_key"
        names.append(free)
        used = used | {free}
    return names


def _collection(rows: Sequence[Sequence[Any]]) -> Collection:
    name, schema, table, columns, key, *_ = rows[0]
    generations = []
    for number, state, encoder, dense, tokens, token_type, chunking, queued in (row[5:] for row in rows):
        dims = Dims(dense, tokens)
        generations.append(Generation(name, number, state, _json(encoder), dims, token_type, chunking, queued))
    columns_of_key = tuple(KeyColumn(*column) for column in _json(key))
    return Collection(name, schema, table, columns_of_key, tuple(columns), tuple(generations))


def _json(value: Any) -> Any:
    # other drivers than psycopg leave it as text
    return json.loads(value) if isinstance(value, str) else value
