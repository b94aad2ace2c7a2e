"""Opens engines and connections, registers the adapters and turns the driver's errors into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql
from sqlalchemy.exc import ArgumentError

from pgencoder import vectors
from pgencoder.db import values
from pgencoder.db.executor import Executor
from pgencoder.db.inherited import separate_in_children
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
from pgencoder.statements import SCHEMA, query

MINIMUM_SERVER = 150000
MINIMUM_PGVECTOR = (0, 8)

# After a minute without an answer a connection counts as dead
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}

# How often a statement must be executed before psycopg prepares it without being told to
NEVER_UNASKED = 2**31

Connection = psycopg.Connection[Any]

_unchecked: ContextVar[bool] = ContextVar("_unchecked", default=False)


def open_engine(url: str | sa.URL | None) -> sa.Engine:
    """Return an engine for a Postgres URL (`postgresql://user@host/database`, sockets with `?host=/directory`).

    The URL and its arguments may be written for another driver. The engine does not connect yet. Raises InvalidRequest
    if `url` is not a Postgres URL.
    """
    try:
        parsed = sa.make_url(url)  # type: ignore[arg-type]
    except (ArgumentError, ValueError) as error:
        # the message leaves the text out, because it may hold a password
        raise InvalidRequest("not a database URL or an engine; write postgresql://user@host/database") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise InvalidRequest(f"not a Postgres URL: {parsed.get_backend_name()}://...; write postgresql://...")
    return _make_engine(_for_psycopg(parsed))


# The connections of ours, and whether a superuser opened them
_of_superuser: WeakKeyDictionary[Connection, bool] = WeakKeyDictionary()


def pinned_engine(engine: sa.Engine) -> sa.Engine:
    """Return a second engine for the same database, for our own statements, with a safe search path.

    No other role can put objects on that path. Behind a pooler the path is safe only in transactions that call `pin`,
    because a pooler shares its connections and does not keep the setting. The path is a second wall: our statements are
    safe without it, because they name the schema of every object.
    """
    # psycopg would look the type hstore up by the path
    made = _make_engine(engine.url, use_native_hstore=False, pool_pre_ping=False)  # `_check` does that

    sa.event.listen(made, "do_connect", _connect)  # before the first statements of SQLAlchemy

    @sa.event.listens_for(made, "checkout")
    def _check(connection: Connection, _record: object, _proxy: object) -> None:
        if _unchecked.get():
            return
        try:
            if may_be_superuser(connection):
                # the schema may have come, or have been given away, since the connection was made
                connection.autocommit = True
                check_owner(connection, parts=False)
                connection.autocommit = False
            else:
                made.dialect.do_ping(connection)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            if not connection.closed:
                raise
            raise sa.exc.InvalidatePoolError from error

    return made


def _connect(dialect: sa.Dialect, _record: object, arguments: Any, options: Any) -> Connection:
    """Open a connection with a safe search path, and check the owner of the schema."""
    connection: Any = dialect.connect(*arguments, **options)
    try:
        connection.autocommit = True
        if pin(connection):  # no pooler is between, which would lose what is prepared
            connection.prepare_threshold = NEVER_UNASKED
        _of_superuser[connection] = connection.execute(query("is_superuser")).fetchone() != (False,)
        check_owner(connection)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection  # type: ignore[no-any-return]


def may_be_superuser(connection: Connection) -> bool:
    """Return True unless the server has said that the session has no superuser's rights and cannot get them.

    After SET ROLE the session of a superuser has no such rights, but any code can get them back with RESET ROLE.
    """
    return _of_superuser.get(connection, True) or connection.info.parameter_status("is_superuser") != "off"


@contextmanager
def unchecked() -> Iterator[None]:
    """Take connections from the pool as they are: one may be dead, and a superuser must check the schema's owner."""
    token = _unchecked.set(True)
    try:
        yield
    finally:
        _unchecked.reset(token)


@contextmanager
def as_it_is(engine: sa.Engine) -> Iterator[Connection]:
    """Like `connected`, but `unchecked`, so that nothing is sent before what the caller sends."""
    with translate_errors():
        with unchecked():
            pooled = engine.raw_connection()
        driver: Any = pooled.driver_connection
        driver.autocommit = True
        try:
            yield driver
        finally:
            if driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                driver.autocommit = False
            else:  # closed, or left within a statement
                pooled.invalidate()
            pooled.close()


def pin(connection: Connection, *, local: bool = False) -> bool:
    """Remove from the search path each schema that other roles can create objects in; return True if that was done.

    Plans are not compiled either, because compiling takes longer than a search.

    With `local` the change lasts until the transaction ends, and works on any connection. Without it the change lasts
    as long as the connection, and is skipped behind a pooler.
    """
    if local:
        pin_transaction(connection)
        return True
    # a pooler reports the number of a process that is not the server's
    wanted = sql.SQL("pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) {}").format(connection.info.backend_pid)
    statement = query("safe_path").format(local=sql.Literal(False), wanted=wanted)
    return connection.execute(statement).fetchone() is not None


def pin_transaction(executor: Executor) -> None:
    """Make the search path safe, as `pin` does, until the transaction ends."""
    executor.execute(query("safe_path").format(local=sql.Literal(True), wanted=sql.Literal(True)))


@contextmanager
def user_search_path(connection: Executor) -> Iterator[None]:
    """Use the role's own search path inside this context, so that names without a schema mean what the role expects.

    The context must not write: it rolls back at its end. A connection of the user's already has the user's path.
    """
    with read_only(connection):
        if isinstance(connection, psycopg.Connection):
            connection.execute("SET LOCAL search_path TO DEFAULT")
        yield


def read_only(connection: Executor) -> AbstractContextManager[object]:
    """Return a transaction, or a savepoint, that rolls back at its end, so that rows and settings stay as they are."""
    if isinstance(connection, psycopg.Connection):
        return connection.transaction(force_rollback=True)
    return connection.transaction()  # a borrowed connection restores the settings itself


def schema_of_new(connection: Connection) -> str:
    """Return the schema for a user's new table: a trusted one where the role may create, else one of the role's path.

    Raises InvalidRequest if the path has no schema.
    """
    found = _schema_of_new(connection)
    if found is None or not found[1]:
        with user_search_path(connection):
            own = _schema_of_new(connection)
        found = own if found is None or (own is not None and own[1]) else found
    if found is None:
        raise DatabaseError("the search path of this role has no schema; set one: ALTER ROLE ... SET search_path")
    return str(found[0])


def _schema_of_new(connection: Connection) -> tuple[str, bool] | None:
    """Return a schema of the path and True if the role may create there: the first such schema, else the first."""
    return connection.execute(query("schema_of_new")).fetchone()


def _make_engine(parsed: sa.URL, **options: Any) -> sa.Engine:
    engine = sa.create_engine(
        parsed,
        # No prepared statements, unless we know better: a transaction pooler loses them, and a generic plan does not
        # know the LIMIT that makes the index worth its while.
        connect_args={"prepare_threshold": None, "client_encoding": "utf8"}
        | {name: value for name, value in KEEPALIVES.items() if name not in parsed.query},
        pool_use_lifo=True,  # what was used last has its plans
        isolation_level="READ COMMITTED",  # what is argued in `pgencoder.ingest.queue` needs it of us
        **{"pool_pre_ping": True} | options,
    )

    separate_in_children(engine)

    @sa.event.listens_for(engine, "connect")
    def _register(connection: Connection, _record: object) -> None:
        vectors.register(connection)
        values.read_leniently(connection)
        # keys travel as text: an administrator's settings for dates and numbers must not change them
        connection.execute(query("set_key_formats"))
        connection.commit()

    return engine


def _for_psycopg(url: sa.URL) -> sa.URL:
    """Return the URL for psycopg; it keeps those arguments of another driver that libpq knows, under libpq's names."""
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
    """Open a psycopg connection from the pool, in autocommit; use `connection.transaction()` for blocks."""
    with translate_errors(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = driver_of(connection)
        try:
            yield driver
        finally:
            if driver.closed:  # so that the pool does not try to reset it
                connection.invalidate()


def driver_of(connection: sa.Connection) -> Connection:
    """Return the psycopg connection inside a SQLAlchemy connection."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn those errors of the driver that a user can remedy into ours; the original error stays as the cause."""
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
    """Raise UnsupportedServer unless the server is Postgres 15 or newer and has, or offers, pgvector 0.8 or newer."""
    version = connection.info.server_version
    if version < MINIMUM_SERVER:
        raise UnsupportedServer(f"Postgres {version // 10000} is too old; pgencoder needs Postgres 15 or newer")
    row = connection.execute(query("vector_versions")).fetchone()
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
    """Return the schema of pgvector, which need not be on the search path; raises NotMigrated without pgvector."""
    row = connection.execute(query("vector_schema")).fetchone()
    if row is None:
        raise NotMigrated("this database has no extension vector; run: pgencoder migrate")
    return str(row[0])
