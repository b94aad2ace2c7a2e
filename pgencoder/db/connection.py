"""Engines, with the adapters registered and the driver's errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql
from sqlalchemy.exc import ArgumentError

from pgencoder import vectors
from pgencoder.db import values
from pgencoder.db.executor import Executor
from pgencoder.db.inherited import part_in_children
from pgencoder.db.owner import check_owner
from pgencoder.errors import (
    ConnectionFailed,
    DatabaseError,
    InvalidRequest,
    MissingRights,
    NotMigrated,
    PgencoderError,
    UnsupportedServer,
)
from pgencoder.sql import SCHEMA, query

MINIMUM_SERVER = 150000
MINIMUM_PGVECTOR = (0, 8)

# A connection that is dead and does not say so is given up after a minute
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}

Connection = psycopg.Connection[Any]


def open_engine(url: str | sa.URL | None) -> sa.Engine:
    """An engine for a Postgres URL (`postgresql://user@host/database`, sockets with `?host=/directory`).

    The URL may name another driver, as may its arguments. Raises InvalidRequest for what is not such a URL. Nothing is
    connected yet.
    """
    try:
        parsed = sa.make_url(url)  # type: ignore[arg-type]
    except (ArgumentError, ValueError) as error:
        # without the text itself, which may hold a password
        raise InvalidRequest("not a database URL or an engine; write postgresql://user@host/database") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise InvalidRequest(f"not a Postgres URL: {parsed.get_backend_name()}://...; write postgresql://...")
    return _make_engine(_for_psycopg(parsed))


def pinned_engine(engine: sa.Engine) -> sa.Engine:
    """Another engine for the same database, for what we send: nobody can plant objects on its search path.

    A pooler does not keep the path, which would stay for others too. There the path is safe only in transactions that
    `pin` it. What we send is safe everywhere, because every name in it has its schema: the path is a second wall.
    """
    # psycopg would look the type hstore up by the path
    made = _make_engine(engine.url, use_native_hstore=False)

    @sa.event.listens_for(made, "do_connect")  # before the first statements of SQLAlchemy
    def _connect(dialect: sa.Dialect, _record: object, arguments: Any, options: Any) -> Connection:
        connection: Any = dialect.connect(*arguments, **options)
        try:
            connection.autocommit = True
            pin(connection)
            check_owner(connection)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]

    @sa.event.listens_for(made, "checkout")
    def _check(connection: Connection, _record: object, _proxy: object) -> None:
        # the schema may have come, or have been given away, since the connection was made
        if connection.info.parameter_status("is_superuser") != "off":
            connection.autocommit = True
            check_owner(connection, parts=False)
            connection.autocommit = False

    return made


def pin(connection: Connection, *, local: bool = False) -> None:
    """Take from the search path what others can put objects into; not through a pooler, unless `local`.

    `local` does so until the transaction ends, on any connection.
    """
    if local:
        pin_transaction(connection)
        return
    # a pooler has told us of a process that is not there
    wanted = sql.SQL("pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) {}").format(connection.info.backend_pid)
    connection.execute(query("safe_path").format(local=sql.Literal(False), wanted=wanted))


def pin_transaction(executor: Executor) -> None:
    """Do what `pin` does until the transaction ends."""
    executor.execute(query("safe_path").format(local=sql.Literal(True), wanted=sql.Literal(True)))


@contextmanager
def names_of_users(connection: Executor) -> Iterator[None]:
    """Names without a schema mean what they mean to the role: its own search path, for as long as this lasts.

    Nothing may be written meanwhile. A connection that is not ours has its user's path anyway.
    """
    with looking(connection):
        if isinstance(connection, psycopg.Connection):
            connection.execute("SET LOCAL search_path TO DEFAULT")
        yield


def looking(connection: Executor) -> AbstractContextManager[object]:
    """A transaction, or a part of one, that changes nothing: settings are afterwards what they were."""
    if isinstance(connection, psycopg.Connection):
        return connection.transaction(force_rollback=True)
    return connection.transaction()  # which keeps the settings by itself


def schema_of_new(connection: Connection) -> str:
    """Find where new tables of a user go: a trusted schema that the role may create in, else one of its own path."""
    found = _schema_of_new(connection)
    if found is None or not found[1]:
        with names_of_users(connection):
            own = _schema_of_new(connection)
        found = own if found is None or (own is not None and own[1]) else found
    if found is None:
        raise DatabaseError("the search path of this role has no schema; set one: ALTER ROLE ... SET search_path")
    return str(found[0])


def _schema_of_new(connection: Connection) -> tuple[str, bool] | None:
    """The first schema of the path where the role may create, else the first; and whether it may."""
    return connection.execute(
        "SELECT found.name, found.may FROM (SELECT s.name, s.place,"
        " pg_catalog.has_schema_privilege(s.name::pg_catalog.text, 'CREATE') AS may"
        " FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s (name, place)"
        " WHERE s.name OPERATOR(pg_catalog.<>) 'pg_catalog') AS found ORDER BY found.may DESC, found.place LIMIT 1"
    ).fetchone()


def _make_engine(parsed: sa.URL, **options: Any) -> sa.Engine:
    engine = sa.create_engine(
        parsed,
        # No server-side prepared statements: a transaction pooler loses them, and a generic plan does not know
        # the LIMIT that makes the index worth its while.
        connect_args={"prepare_threshold": None, "client_encoding": "utf8"}
        | {name: value for name, value in KEEPALIVES.items() if name not in parsed.query},
        pool_pre_ping=True,
        pool_use_lifo=True,  # what was used last has its plans
        isolation_level="READ COMMITTED",  # what is argued in `pgencoder.ingest.queue` needs it of us
        **options,
    )

    part_in_children(engine)

    @sa.event.listens_for(engine, "connect")
    def _register(connection: Connection, _record: object) -> None:
        vectors.register(connection)
        values.register(connection)
        # keys travel as text: what an administrator has set for dates and numbers must not change them
        connection.execute(
            "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('datestyle', 'ISO, YMD', 'ISO%%'),"
            " ('intervalstyle', 'postgres', 'postgres'), ('extra_float_digits', '1', '1'))"
            " AS s (name, value, accepted) WHERE pg_catalog.current_setting(name) OPERATOR(pg_catalog.!~~) accepted"
        )
        connection.commit()

    return engine


def _for_psycopg(url: sa.URL) -> sa.URL:
    """The URL for psycopg: of another driver's arguments those that libpq has too, by its names."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    query = dict(url.query)
    driver = url.drivername.partition("+")[2]
    if driver and not driver.startswith("psycopg"):
        for theirs, ours in (("ssl", "sslmode"), ("timeout", "connect_timeout"), ("unix_sock", "host")):
            if theirs in query:
                query.setdefault(ours, query[theirs])
        if query.get("sslmode") in ("true", "True", "1"):
            query["sslmode"] = "require"
        query = {name: value for name, value in query.items() if name in known}
    return url.set(drivername="postgresql+psycopg", query=query)


@contextmanager
def connected(engine: sa.Engine) -> Iterator[Connection]:
    """A psycopg connection from the pool, in autocommit: use `connection.transaction()` for blocks."""
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = driver_of(connection)
        try:
            yield driver
        finally:
            if driver.closed:  # so that the pool does not try to reset it
                connection.invalidate()


def driver_of(connection: sa.Connection) -> Connection:
    """The connection of psycopg in one of SQLAlchemy."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors a user can mend into ours, with the cause kept."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidRequest("Postgres cannot hold half a character (a lone surrogate) in a name or a value") from error
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        ours = _translate(cause)
        if ours is None:
            raise
        raise ours from cause


def _translate(cause: BaseException | None) -> PgencoderError | None:
    # the server's own words, without the line of ours that it quotes
    said = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    message = " ".join((said or str(cause)).split())
    match cause:
        case pg.InsufficientPrivilege():
            return MissingRights(f"{message}; ask the owner for the rights listed in the README under Rights")
        case pg.InvalidSchemaName() if SCHEMA in message:
            return NotMigrated("this database has no pgencoder schema; run: pgencoder migrate")
        case pg.UndefinedTable() if f'"{SCHEMA}.' in message:
            return NotMigrated(f"{message}; run: pgencoder migrate")
        case pg.ProtocolViolation():
            return None
        case psycopg.DataError() if cause.sqlstate is None and "NUL" in message:
            return InvalidRequest("Postgres cannot hold NUL in a name or a value")
        case psycopg.OperationalError() if cause.sqlstate is None or cause.sqlstate[:2] in ("08", "28", "3D"):
            return ConnectionFailed(f"cannot connect: {message}; check the URL and that the server runs")
    return None


def check_server(connection: Connection) -> None:
    """Raise UnsupportedServer unless Postgres is 15 or newer and pgvector 0.8 or newer can be had."""
    version = connection.info.server_version
    if version < MINIMUM_SERVER:
        raise UnsupportedServer(f"Postgres {version // 10000} is too old; pgencoder needs Postgres 15 or newer")
    row = connection.execute(
        "SELECT default_version, installed_version FROM pg_catalog.pg_available_extensions"
        " WHERE name OPERATOR(pg_catalog.=) 'vector'"
    ).fetchone()
    if row is None:
        raise UnsupportedServer(
            "this server has no pgvector; install it (Debian: postgresql-NN-pgvector) and run: pgencoder migrate"
        )
    default, installed = row
    if _version(installed or default) < MINIMUM_PGVECTOR:
        how = "run: ALTER EXTENSION vector UPDATE" if _version(default) >= MINIMUM_PGVECTOR else "install 0.8 or newer"
        raise UnsupportedServer(f"pgvector {installed or default} is too old; pgencoder needs 0.8 or newer; {how}")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def vector_schema(connection: Executor) -> str:
    """The schema that pgvector lives in, which need not be on the search path."""
    row = connection.execute(
        "SELECT n.nspname FROM pg_catalog.pg_extension e"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
        " WHERE e.extname OPERATOR(pg_catalog.=) 'vector'"
    ).fetchone()
    if row is None:
        raise NotMigrated("this database has no extension vector; run: pgencoder migrate")
    return str(row[0])
