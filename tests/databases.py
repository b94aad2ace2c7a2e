"""Databases for tests: each is a copy of a template, and no two tests share one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cached_property

import sqlalchemy as sa
from psycopg import sql

import pgencoder
from tests.connections import Connection, connect, url_of

EMPTY = "template1"
MIGRATED = "template_pgencoder"


class Databases:
    """Create databases on a server.

    A database is removed when a later test asks for one: the server waits a tenth of a second for connections that
    have just been closed.
    """

    def __init__(self, server: sa.URL, admin: Connection) -> None:
        self._server, self._admin = server, admin
        self._number = 0
        self._unused: deque[str] = deque()

    @cached_property
    def migrated(self) -> str:
        """A database with the schema pgencoder, to copy."""
        self._create(MIGRATED, EMPTY)
        with pgencoder.connect(url_of(self._server, MIGRATED)) as db:
            db.migrate()
        return MIGRATED

    def lend(self, template: str) -> Iterator[Connection]:
        """Yield a connection to a new copy of a database."""
        while self._unused:
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._unused.popleft())
        self._number += 1
        name = f"pgencoder_{self._number}"
        self._create(name, template)
        with connect(self._server, name) as connection:
            yield connection
        self._unused.append(name)

    def _create(self, name: str, template: str) -> None:
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)

    def _execute(self, statement: str, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
