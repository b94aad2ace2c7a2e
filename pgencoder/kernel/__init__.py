"""Reads and switches the MaxSim kernel that a database uses: pure SQL, or the extension `pgencoder_native`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors as pg

from pgencoder.db.connection import Connection
from pgencoder.errors import MissingRights, NativeUnavailable
from pgencoder.results import Kernel
from pgencoder.statements import query

EXTENSION = "pgencoder_native"
# Marks an extension that pgencoder created, so that pgencoder may remove it
MADE = "MaxSim for pgencoder in C; made by pgencoder"
LOST = (
    "; run: pgencoder native install, or go back with: SELECT pgencoder.use_kernel('sql') and ALTER EVENT TRIGGER"
    f" {EXTENSION}_before_drop DISABLE"
)


@dataclass(frozen=True)
class Extension:
    """The state of the extension: the version in the database, the version of the server's files, and the ownership.

    `owned` is True if this role may alter the extension, or if the database does not have it.
    """

    installed: str | None
    available: str | None
    owned: bool


def read(connection: Connection) -> Kernel:
    """Return the kernel in use, with the reason."""
    row = connection.execute("SELECT pgencoder.kernel()").fetchone()
    assert row is not None
    found = _extension(connection)
    if row[0] == "native":
        return _native(connection, found.installed)
    if found.installed is not None:
        why = "the extension is there but not used; run: SELECT pgencoder.use_kernel('native')"
    elif found.available is not None:
        why = f"the extension {EXTENSION} is not in this database; run: pgencoder native install"
    else:
        why = f"the server has no extension {EXTENSION}; run: pgencoder native install"
    return Kernel("sql", found.installed, None, why)


def use(connection: Connection, name: str) -> None:
    """Switch to a kernel.

    Raises NativeUnavailable if the kernel is missing, and MissingRights if another role owns the functions.
    """
    try:
        connection.execute("SELECT pgencoder.use_kernel(%s)", [name])
    except pg.FeatureNotSupported as error:
        raise NativeUnavailable(f"{error.diag.message_primary}; {error.diag.message_hint}") from error
    except pg.InsufficientPrivilege as error:
        raise MissingRights(f"{error.diag.message_primary}; the owner of the schema pgencoder may switch") from error


def create(connection: Connection) -> None:
    """Create or update the extension and switch to it; raises NativeUnavailable or MissingRights."""
    found = _extension(connection)
    try:
        with connection.transaction():
            if found.installed is None:
                connection.execute(f"CREATE EXTENSION {EXTENSION}")
                connection.execute(f"COMMENT ON EXTENSION {EXTENSION} IS '{MADE}'")
            else:
                _update(connection, found)
            _check_library(connection)
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


def prefer(connection: Connection, *, may_create: bool) -> str | None:
    """Switch to the native kernel if possible, in the transaction that created the functions.

    The switch needs the extension in the database, or `may_create` and the files on the server. If it was expected to
    work and failed, the database uses pure SQL, and this returns the reason; otherwise None.
    """
    if not may_create and _extension(connection).installed is None:
        return None
    try:
        create(connection)
    except (NativeUnavailable, MissingRights, psycopg.Error) as error:
        return " ".join(str(error).split())
    return None


def drop(connection: Connection) -> None:
    """Drop the extension if pgencoder created it and this role owns it."""
    row = connection.execute(query("may_drop_extension"), {"name": EXTENSION, "comment": MADE}).fetchone()
    if row is not None and row[0]:
        connection.execute(f"DROP EXTENSION {EXTENSION}")


def pg_config(connection: Connection) -> Path | None:
    """Return the path of `pg_config` as the server reports it.

    Return None if this role may not ask for it, or if there is no such file on this machine. The server may report
    any path: `native.named_server` checks it.
    """
    try:
        row = connection.execute(query("program_folder")).fetchone()
    except pg.InsufficientPrivilege:
        return None
    assert row is not None
    path = Path(row[0]) / "pg_config"
    return path if path.exists() else None


def _extension(connection: Connection) -> Extension:
    row = connection.execute(query("read_extension"), {"name": EXTENSION}).fetchone()
    assert row is not None
    return Extension(*row)


def _update(connection: Connection, found: Extension) -> None:
    if found.available is None:
        raise NativeUnavailable(f"the server has lost the files of the extension {EXTENSION}{LOST}")
    if found.owned and found.installed != found.available:
        connection.execute(f"ALTER EXTENSION {EXTENSION} UPDATE")


def _check_library(connection: Connection) -> str:
    """Load the library and return the instructions that it uses; raises NativeUnavailable if that fails."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT pgencoder_native.simd()").fetchone()
    except pg.InvalidParameterValue as error:  # the setting asks for instructions that this processor lacks
        raise NativeUnavailable(" ".join(str(error).split())) from error
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise NativeUnavailable(f"the library of the extension {EXTENSION} cannot be used: {reason}{LOST}") from error
    assert row is not None
    return str(row[0])


def _native(connection: Connection, version: str | None) -> Kernel:
    try:
        simd = _check_library(connection)
    except NativeUnavailable as error:
        return Kernel("native", version, None, str(error))
    return Kernel("native", version, simd, f"extension {EXTENSION} {version}, {simd} instructions")
