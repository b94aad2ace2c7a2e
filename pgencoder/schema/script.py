"""Collections made and changed on a connection that is not ours, or in a script: statements as plain text.

The connection may be of any driver, and is in a transaction that someone else begins and ends. The rows that are there
are left to be queued by a worker or `sync`, which go on with every unfinished backfill.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Known, Objects, queue_changed
from pgencoder.db.connection import Connection, pin
from pgencoder.db.owner import check_owner
from pgencoder.encoders import Encoder, same_encoder
from pgencoder.errors import InvalidRequest
from pgencoder.schema import attach, generations, migrate, objects, roles
from pgencoder.schema.generations import CreateSearch
from pgencoder.schema.ownership import as_source_owner
from pgencoder.sql import Late, Part, as_text, assembled, identifier, listed, query, raw
from pgencoder.types import FULL_TYPE, Chunking, Collection, TokenType

# What a transaction keeps of ours after the part of it that is ours
_SETTINGS = ("role", "search_path", "lock_timeout")

# The numbers of generations in the block `reencode`: of the one that is made, and of each in turn
_NEXT = Late("(latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text")
_EACH = Late("g.number::pg_catalog.text")
_DEFAULT_COLLATION = "'pg_catalog.\"default\"'"


class Rows:
    """What a statement returned; `read` is called when it is asked for."""

    def __init__(self, rows: Sequence[Any] = (), read: Callable[[], None] = lambda: None) -> None:
        self._rows = [tuple(row) for row in rows]
        self._read = read

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def fetchall(self) -> list[Any]:
        """All rows."""
        self._read()
        return self._rows

    def fetchone(self) -> Any:
        """The first row, None if there is none."""
        return next(iter(self.fetchall()), None)


class Script:
    """Takes statements as a psycopg connection does, and keeps them as text with their values in them.

    It is of nothing that is there: what a statement is asked to return is nothing, and then the statement is not kept.
    """

    connection = None  # for psycopg, which asks it about names

    def __init__(self) -> None:
        self.statements: list[Part] = []

    def execute(self, statement: Any, parameters: Any = None) -> Rows:
        """Add a statement."""
        part = statement if isinstance(statement, sql.Composable) else raw(plain(statement, parameters))
        self.statements.append(part)
        return Rows(read=lambda: self.statements.remove(part))

    @property
    def whole(self) -> Part:
        """All statements."""
        return listed(self.statements, ";\n")

    def transaction(self) -> AbstractContextManager[None]:
        """Nothing: the script is one transaction."""
        return nullcontext()


class Borrowed:
    """Does what a psycopg connection does, with a SQLAlchemy connection of any driver and in its transaction.

    A statement that fails leaves the transaction usable; errors are raised as psycopg's.
    """

    connection = None  # for psycopg, which asks it about names

    def __init__(self, connection: sa.Connection) -> None:
        if connection.dialect.name != "postgresql":
            raise InvalidRequest(f"this is a connection to {connection.dialect.name}; collections are in Postgres")
        self._connection = connection

    def execute(self, statement: Any, parameters: Any = None) -> Rows:
        """Run a statement."""
        text = plain(statement, parameters)
        reads = text.lstrip().startswith(("SELECT", "WITH"))
        if not reads and not text.startswith(
            "DO "
        ):  # perhaps several statements, which some drivers cannot send at once
            text = as_text(sql.SQL("DO {}").format(sql.Literal(f"BEGIN EXECUTE {as_text(sql.Literal(text))}; END")))
        try:
            with self._connection.begin_nested():
                result = self._connection.exec_driver_sql(text, execution_options={"no_parameters": True})
                return Rows(result.fetchall() if reads else ())
        except sa.exc.DBAPIError as error:
            ours = _as_psycopg(error)
            if isinstance(ours, psycopg.errors.NoActiveSqlTransaction):
                raise InvalidRequest(
                    "collections are made and changed in a transaction; take this out of autocommit_block()"
                ) from error
            raise ours from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A savepoint, after which the settings of the transaction are what they were."""
        with self._connection.begin_nested():
            before = self.execute(
                "SELECT " + ", ".join(f"pg_catalog.current_setting('{name}')" for name in _SETTINGS)
            ).fetchone()
            yield
            for name, value in zip(_SETTINGS, before, strict=True):
                self.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def borrowed(connection: sa.Connection) -> Connection:
    """The connection, as those who describe and change collections take it; raises NotMigrated."""
    taken = cast(Connection, Borrowed(connection))
    migrate.check_revision(_revision(taken))
    return taken


@contextmanager
def pinned(connection: Connection) -> Iterator[None]:
    """A savepoint with a search path that others have nothing on; afterwards it is what it was."""
    with connection.transaction():
        pin(connection, local=True)
        yield


def collections(connection: sa.Connection) -> list[Collection]:
    """The collections there are, none without the schema; raises NotMigrated for a schema of another version."""
    if _revision(cast(Connection, Borrowed(connection))) is None:
        return []
    return catalog.collections(borrowed(connection))


def _revision(connection: Connection) -> str | None:
    """The revision that the database is at, None without the schema."""
    if connection.execute("SELECT pg_catalog.to_regclass('pgencoder.revision') IS NULL").fetchone() == (True,):
        return None
    check_owner(connection)
    row = connection.execute("SELECT version_num FROM pgencoder.revision").fetchone()
    return None if row is None else str(row[0])


def attach_script(parts: Objects, create_search: CreateSearch) -> str:
    """The statement that makes a collection, for a database that cannot be asked."""
    script = Script()
    attach.make(cast(Connection, script), _as_spelled_there(parts), create_search)
    return _checked(parts, query("attach_offline").format(script=assembled(script.whole, _dollars), name=parts.name))


def reencode_script(parts: Objects) -> str:
    """The statement that begins the next generation, that of `parts`, in a database that cannot be asked.

    It does what `reencode` does, but where a retired generation is of this encoder: then it fails.
    """
    return _checked(parts, _begin(_as_spelled_there(parts)))


def _as_spelled_there(parts: Objects) -> Objects:
    """The same, with the types and collations of the key as the variables of `check_offline` have them."""
    columns = list(enumerate(parts.collection.key, 1))
    types = [Late(f"full_types[{n}]") for n, _ in columns]
    collations = [Late(f"coalesce(collations[{n}], {_DEFAULT_COLLATION})") if c.collation else None for n, c in columns]
    return Objects(parts.collection, parts.vector_schema, parts.generation, Known(types=types, collations=collations))


def _checked(parts: Objects, then: Part) -> str:
    """The statement that does `then` unless the database is not as it is thought to be: its revision, the table's key.

    The types and collations of the key, which people write as they like, are variables there, as the server spells
    them.
    """
    collection = parts.collection
    given = [
        as_text(identifier(column.source))
        + f" {column.type}"
        + (f" COLLATE {column.collation}" if column.collation else "")
        for column in collection.key
    ]
    body = query("check_offline").format(
        other_owner=query("other_owner").format(parts=sql.Literal(True)),
        head=sql.Literal(migrate.head()),
        vector_name=sql.Literal(as_text(parts.vector)),
        source_name=sql.Literal(as_text(identifier(collection.source_schema, collection.source_table))),
        given=raw(", ".join(given)),
        names=listed(identifier(column.source) for column in collection.key),
        full_type=sql.Literal(FULL_TYPE),
        then=then,
    )
    return _block(body)


def _begin(parts: Objects) -> Part:
    """The block that begins the next generation, whatever generations there are then.

    If the active generation is of this encoder, or the one being built, no other is begun; one that is built of another
    encoder is given up.
    """
    generation = parts.generation
    changed, made = Script(), Script()
    with as_source_owner(cast(Connection, changed), parts):
        objects.create_changed(cast(Connection, changed), parts, Late("queues"))
    numbered = Objects(parts.collection, parts.vector_schema, generation, replace(parts.known, number=_NEXT))
    objects.create_tables(cast(Connection, made), numbered)
    objects.create_generation(cast(Connection, made), numbered)
    objects.create_policy(cast(Connection, made), numbered)
    roles.grant(cast(Connection, made), numbered)
    each = Objects(parts.collection, parts.vector_schema, generation, replace(parts.known, number=_EACH))
    return parts.fill(
        "reencode",
        changed=assembled(changed.whole, _dollars),
        queue=assembled(queue_changed(each)),
        generation=assembled(made.whole, _dollars),
        encoder=_jsonb(generation.encoder),
        dense_dims=raw(str(generation.dims.dense)),
        token_dims=raw(str(generation.dims.tokens)),
        token_type=sql.Literal(generation.token_type),
        chunking=sql.Literal(generation.chunking),
    )


def detach_script(name: str) -> str:
    """The statement that removes a collection."""
    return as_text(sql.SQL("SELECT pgencoder.detach({})").format(sql.Literal(name)))


def reencode(
    connection: Connection,
    name: str,
    encoder: Encoder,
    tokens: TokenType | None,
    chunking: Chunking | None,
    vector: str,
    create_search: CreateSearch,
) -> None:
    """Begin the next generation of a collection, unless this encoder is in use; one that was in use is so again.

    A generation that is being built with another encoder is given up.
    """
    collection = catalog.collection(connection, name)
    catalog.check_problem(connection, name)
    tokens = tokens or (collection.generation.token_type if encoder.dims.tokens else "none")
    chunking = chunking or collection.generation.chunking
    fitting = [
        each
        for each in collection.generations
        if (each.token_type, each.chunking) == (tokens, chunking) and same_encoder(each.encoder, encoder.fingerprint)
    ]
    if fitting and all(each.state == "retired" for each in fitting):
        generations.activate(connection, name, fitting[-1].number, create_search)
        # what is still being built is of another encoder, and is given up
    generation = attach.describe(name, 0, "building", encoder, tokens, chunking)
    connection.execute(_block(_begin(Objects(collection, vector, generation))))


def plain(statement: Part | str | bytes, parameters: Any = None) -> str:
    """A statement as text, with the values of its parameters in it."""
    text = statement if isinstance(statement, str) else _decoded(statement)
    if parameters is None:
        return text
    values = iter(parameters if isinstance(parameters, Sequence) else ())

    def value(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return as_text(sql.Literal(parameters[found[1]] if found[1] else next(values)))

    return re.sub(r"%(?:%|s|\((\w+)\)s)", value, text)


def _decoded(statement: Part | bytes) -> str:
    return statement.decode() if isinstance(statement, bytes) else as_text(statement)


def _block(body: Part) -> str:
    return as_text(raw("DO ") + _dollars("\n" + as_text(body)))


def _dollars(text: str) -> Part:
    """A literal that is readable, as long as it is not quoted again."""
    tags = (f"$pgencoder{number or ''}$" for number in count())
    return next(raw(f"{tag}{text}{tag}") for tag in tags if f"{text}{tag}".index(tag) == len(text))


def _jsonb(value: Any) -> Part:
    return sql.Literal(json.dumps(dict(value))) + sql.SQL("::pg_catalog.jsonb")


def _as_psycopg(error: sa.exc.DBAPIError) -> psycopg.Error:
    """The same error as psycopg has it, for those who know only its classes."""
    cause = error.orig
    if isinstance(cause, psycopg.Error):
        return cause
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    message = str(getattr(cause, "__cause__", None) or cause)
    try:
        return psycopg.errors.lookup(state or "")(message)
    except KeyError:
        return psycopg.DatabaseError(message)
