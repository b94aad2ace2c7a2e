"""Brings the schema `pgencoder` of a database to this version, or removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from pgencoder import kernel
from pgencoder.catalog.names import kinds
from pgencoder.db.connection import (
    Connection,
    check_server,
    connected,
    driver_of,
    pin,
    schema_of_new,
    translate_errors,
    vector_schema,
)
from pgencoder.db.locks import limit_waiting, lock_migrations, name_holders, unwrap_errors
from pgencoder.db.owner import check_owner
from pgencoder.errors import InvalidRequest, MissingRights, NotMigrated
from pgencoder.schema.dependents import named_dependents
from pgencoder.schema.ownership import reset_role
from pgencoder.schema.refresh import refresh
from pgencoder.statements import SCHEMA, functions, identifier, query, resources, views

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(
    engine: sa.Engine,
    revision: str = "head",
    *,
    create_native: bool = False,
) -> str | None:
    """Apply all revisions up to `revision` and all functions; a second time changes nothing.

    What is stored for each collection is replaced in the same transaction. The native kernel is used where the database
    has the extension; `create_native` creates that. Returns why it is not used although it should be. Raises
    UnsupportedServer and MissingRights with what to do.
    """
    with connected(engine) as connection:
        check_server(connection)
    with translate_errors(), name_holders(engine):
        try:
            without_native = _upgrade(engine, revision, create_native)
        except (pg.UniqueViolation, pg.DuplicateTable):  # another process made the schema at the same moment
            without_native = _upgrade(engine, revision, create_native)
    # the pool's connections were opened before halfvec existed, so they cannot send it
    engine.dispose()
    return without_native


def _upgrade(engine: sa.Engine, revision: str, create_native: bool) -> str | None:
    from alembic import command  # here and below, because it takes a fifth of the time that importing pgencoder takes

    with unwrap_errors(), engine.begin() as transaction:
        connection = driver_of(transaction)
        pin(connection, local=True)  # through a pooler too, for Alembic's own statements
        limit_waiting(connection)
        _check_rights(connection)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(identifier(SCHEMA)))
        check_owner(connection)  # it may be somebody else's who was faster
        had_vector = bool(connection.execute(query("has_vector")).fetchone())
        if not had_vector:
            _create_vector(connection)
        # what is made belongs to the schema's owner, as whom the triggers of applications run, whoever migrates
        connection.execute(query("become_schema_owner"))
        lock_migrations(connection)
        if not had_vector:
            # read again when the schema is removed: an extension that was there before stays
            connection.execute(
                sql.SQL("COMMENT ON SCHEMA {} IS 'pgencoder; made the extension vector'").format(identifier(SCHEMA))
            )
        _check_origin(transaction)
        command.upgrade(_config(transaction), revision)
        apply_functions(connection)
        reset_role(connection)
        if revision != "head":
            return None
        without_native = kernel.prefer(connection, may_create=create_native)
        refresh(connection)
    return without_native


def downgrade(engine: sa.Engine, revision: str = "base") -> None:
    """Go back to a revision; back to "base" removes the schema with every collection and trigger in it."""
    from alembic import command

    with translate_errors(), named_dependents(), name_holders(engine), engine.begin() as transaction:
        connection = driver_of(transaction)
        pin(connection, local=True)  # through a pooler too, for Alembic's own statements
        limit_waiting(connection)
        lock_migrations(connection)
        if revision != "base":
            command.downgrade(_config(transaction), revision)
            return
        row = connection.execute(query("schema_comment")).fetchone()
        if row is None:
            return
        command.downgrade(_config(transaction), "base")
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(identifier(SCHEMA)))
        kernel.drop(connection)
        if "made the extension vector" in (row[0] or "") and not _vector_in_use(connection):
            connection.execute("DROP EXTENSION IF EXISTS vector")


def apply_functions(connection: Connection) -> None:
    """Create or replace every stored function and view; the functions then use pure SQL.

    Postgres does not replace a function whose columns change: a revision must drop it first, with the view on it.
    """
    # Bodies written with BEGIN ATOMIC are bound to types and operators now, by oid, wherever pgvector lives
    connection.execute("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)")
    vector = identifier(vector_schema(connection))
    for _name, template in (*functions(), *views()):
        connection.execute(template.format(vector=vector, **kinds()))


def current(engine: sa.Engine) -> str | None:
    """Return the revision that the database is at, None before the first migration."""
    with translate_errors(), engine.connect() as connection:
        pin(driver_of(connection), local=True)
        return _revision(connection)


def head() -> str:
    """Return the newest revision of this package."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


def check_known(revision: str) -> None:
    """Raise InvalidRequest unless `revision` is a revision of this package, "head" or "base"."""
    known = ("head", "base", *_known())
    if revision not in known:
        raise InvalidRequest(f"no revision {revision!r}; there are {', '.join(known)}")


def check_current(engine: sa.Engine) -> None:
    """Raise NotMigrated unless the database is at this package's revision."""
    check_revision(current(engine))


def check_revision(revision: str | None) -> None:
    """Raise NotMigrated unless `revision` is the newest of this package."""
    if revision == head():
        return
    if revision is None:
        raise NotMigrated("this database has no pgencoder schema; run: pgencoder migrate")
    if revision not in _known():
        raise NotMigrated(
            f"this database is at revision {revision}, which this version of pgencoder does not know; use the version"
            " that migrated it, or a newer one"
        )
    raise NotMigrated(f"this database is at revision {revision}, not {head()}; run: pgencoder migrate")


def _check_origin(connection: sa.Connection) -> None:
    """Raise NotMigrated if the database is at a revision that this package cannot start from."""
    revision = _revision(connection)
    if revision is not None and revision not in _known():
        check_revision(revision)


def _revision(connection: sa.Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    options = {"version_table": "revision", "version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _known() -> list[str]:
    """List the revisions of this package."""
    from alembic.script import ScriptDirectory

    return sorted(each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def _config(connection: sa.Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources() / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _check_rights(connection: Connection) -> None:
    row = connection.execute(query("schema_rights")).fetchone()
    assert row is not None
    may_create, role, database, owns = row
    if owns is None and not may_create:
        raise MissingRights(
            f'role "{role}" may not create a schema in database "{database}";'
            f' run as its owner: GRANT CREATE ON DATABASE "{database}" TO "{role}"'
        )
    if owns is False:
        raise MissingRights(f'role "{role}" does not own the schema {SCHEMA}; run pgencoder migrate as its owner')


def _create_vector(connection: Connection) -> None:
    try:
        schema = identifier(schema_of_new(connection))
        connection.execute(sql.SQL("CREATE EXTENSION vector SCHEMA {}").format(schema))
    except InsufficientPrivilege as error:
        raise MissingRights(
            f'role "{connection.info.user}" may not create the extension vector;'
            f' run once as a superuser in database "{connection.info.dbname}": CREATE EXTENSION vector'
        ) from error


def _vector_in_use(connection: Connection) -> bool:
    """Return True if a column or a function that is not pgvector's uses its types."""
    row = connection.execute(query("vector_in_use")).fetchone()
    assert row is not None
    return bool(row[0])
