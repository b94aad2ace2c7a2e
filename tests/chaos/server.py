"""A Postgres of its own, so that its crashes leave the server of the other tests alone."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa

from pgencoder.db import embedded

# An immediate stop kills the processes, not the operating system: what they wrote is in its cache and not lost, so the
# disk need not be waited for. The writers deadlock each other often, and are told so at once.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '.'
fsync = off
deadlock_timeout = '100ms'
log_line_prefix = '%m [%p] %a '
"""


class Server:
    """A server in a temporary directory, from initdb to its removal; it is reached by a socket only."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="pgencoder-chaos-"))
        self._data = self._home / "data"
        self._data.mkdir()
        self.log = self._data / "log"
        embedded.initialise(self._data)
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        self._start()

    def url(self, dbname: str) -> str:
        """The URL of a database on this server."""
        return sa.URL.create(
            "postgresql", "postgres", database=dbname, query={"host": str(self._data)}
        ).render_as_string(False)

    def restart_immediately(self) -> None:
        """Stop without a shutdown, as in a crash, and come back after recovery."""
        self._control("stop", "-m", "immediate")
        self._start()

    def stop(self) -> None:
        """Stop and remove everything."""
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._home)

    def _start(self) -> None:
        self._control("start", "-l", "log")

    def _control(self, *arguments: str) -> None:
        embedded.control(self._data, "pg_ctl", "-w", "-t", "60", *arguments)
