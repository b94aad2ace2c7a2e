"""The schema pgencoder of a database, and the MaxSim kernel that it uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

from pgencoder import kernel
from pgencoder.db.connection import connected
from pgencoder.errors import InvalidRequest
from pgencoder.kernel import native
from pgencoder.parts.connections import Connections
from pgencoder.results import Kernel
from pgencoder.schema import migrate
from pgencoder.schema import roles as granted
from pgencoder.types import KernelName


class Installation:
    """Migrates the schema and switches the kernel; `owned` if the server is the embedded one."""

    def __init__(self, connections: Connections, *, owned: bool) -> None:
        self._connections = connections
        self._owned = owned
        self._without_native: str | None = None

    def migrate(self, revision: str, *, roles: bool) -> None:
        """Create, upgrade or remove the schema, see `Database.migrate`."""
        migrate.check_known(revision)
        self._connections.check_again()
        if revision == "base":
            migrate.downgrade(self._connections.own)
            return
        owned = self._owned and revision == "head"
        # for the server that runs, which need not be the one that this process would have started
        reason = native.install_unasked(self.pg_config()) if owned else None
        without = migrate.upgrade(self._connections.own, revision, create_native=owned and reason is None)
        self._connections.users.dispose()  # `upgrade` says why
        self._without_native = reason or without
        if roles and revision == "head":
            with self._connections.open() as connection, connection.transaction():
                granted.create(connection)

    def kernel(self) -> Kernel:
        """Return the kernel in use, and why it is."""
        with self._connections.open() as connection:
            found = kernel.read(connection)
        if found.name == "sql" and self._without_native is not None:
            return replace(found, why=self._without_native)
        return found

    def use_kernel(self, name: KernelName) -> None:
        """Switch to another kernel, see `Database.use_kernel`."""
        if name not in get_args(KernelName):
            raise InvalidRequest(f"kernel must be one of {', '.join(get_args(KernelName))}, got {name!r}")
        with self._connections.open() as connection:
            if name == "native":
                kernel.create(connection)
            else:
                kernel.use(connection, name)

    def server_version(self) -> int:
        """Return the server's major version."""
        with connected(self._connections.own) as connection:
            return connection.info.server_version // 10000

    def pg_config(self) -> Path | None:
        """Return the `pg_config` of the server, if this role may ask for it and the server runs on this machine."""
        with connected(self._connections.own) as connection:
            return kernel.pg_config(connection)
