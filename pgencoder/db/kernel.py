"""Which of the two MaxSim kernels a database uses: pure SQL, or the extension `pgencoder_native`."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import errors as pg

from pgencoder.db.connection import Connection
from pgencoder.errors import MissingRights, NativeUnavailable
from pgencoder.types import Kernel

EXTENSION = "pgencoder_native"


def read(connection: Connection) -> Kernel:
    """The kernel in use, and why it is that one."""
    row = connection.execute(
        "SELECT pgencoder.kernel(), installed_version, default_version"
        " FROM (VALUES (%s)) AS wanted (name) LEFT JOIN pg_available_extensions USING (name)",
        [EXTENSION],
    ).fetchone()
    assert row is not None
    name, version, available = row
    if name == "native":
        return _native(connection, version)
    if version is not None:
        why = "the extension is there but not used; run: SELECT pgencoder.use_kernel('native')"
    elif available is not None:
        why = f"the extension {EXTENSION} is not in this database; run: pgencoder native install"
    else:
        why = f"the server has no extension {EXTENSION}; run: pgencoder native install"
    return Kernel("sql", version, None, why)


def use(connection: Connection, name: str) -> None:
    """Switch to a kernel; raises NativeUnavailable if it is not there."""
    try:
        connection.execute("SELECT pgencoder.use_kernel(%s)", [name])
    except pg.FeatureNotSupported as error:
        raise NativeUnavailable(f"{error.diag.message_primary}; {error.diag.message_hint}") from error


def create(connection: Connection) -> None:
    """Create or update the extension and switch to it; raises NativeUnavailable or MissingRights."""
    try:
        with connection.transaction():
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
            connection.execute(f"ALTER EXTENSION {EXTENSION} UPDATE")
            use(connection, "native")
    except pg.InsufficientPrivilege as error:
        raise MissingRights(
            f'role "{connection.info.user}" may not create the extension {EXTENSION}; run once as a superuser in'
            f' database "{connection.info.dbname}": CREATE EXTENSION {EXTENSION}, then: pgencoder migrate'
        ) from error
    except (pg.UndefinedFile, pg.FeatureNotSupported) as error:
        raise NativeUnavailable(
            f"the server has no extension {EXTENSION}; on its machine, run: pgencoder native install"
        ) from error


def pg_config(connection: Connection) -> Path | None:
    """The server's `pg_config`; None if this role may not ask for it, or if it is not on this machine."""
    try:
        row = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    except pg.InsufficientPrivilege:
        return None
    assert row is not None
    path = Path(row[0]) / "pg_config"
    return path if path.exists() else None


def reuse(connection: Connection) -> None:
    """Switch to the extension if the database has it, in the transaction that made the functions anew."""
    row = connection.execute(
        "SELECT pg_has_role(extowner, 'USAGE') FROM pg_extension WHERE extname = %s", [EXTENSION]
    ).fetchone()
    if row is None:
        return
    if row[0]:
        connection.execute(f"ALTER EXTENSION {EXTENSION} UPDATE")
    use(connection, "native")


def drop(connection: Connection) -> None:
    """Drop the extension, unless it belongs to another role."""
    row = connection.execute(
        "SELECT pg_has_role(extowner, 'USAGE') FROM pg_extension WHERE extname = %s", [EXTENSION]
    ).fetchone()
    if row is not None and row[0]:
        connection.execute(f"DROP EXTENSION {EXTENSION}")


def _native(connection: Connection, version: str | None) -> Kernel:
    try:
        with connection.transaction():
            row = connection.execute("SELECT pgencoder_native.simd()").fetchone()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        return Kernel("native", version, None, f"the extension's library cannot be used: {reason}")
    assert row is not None
    return Kernel("native", version, row[0], f"extension {EXTENSION} {version}, {row[0]} instructions")
