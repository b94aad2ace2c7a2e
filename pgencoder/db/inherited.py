"""Keeps a process that forks from sharing its connections with its children."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
import sqlalchemy as sa

from pgencoder import forks


def separate_in_children(engine: sa.Engine) -> None:
    """Let each child that this process forks open new connections instead of using those of this engine."""
    connections: WeakSet[psycopg.Connection[Any]] = WeakSet()

    @sa.event.listens_for(engine, "connect")
    def _note(connection: psycopg.Connection[Any], _record: object) -> None:
        connections.add(connection)

    def separate(engine: sa.Engine) -> None:
        _cut_off(connections)
        engine.dispose(close=False)

    forks.in_children(engine, separate)


def _cut_off(connections: WeakSet[psycopg.Connection[Any]]) -> None:
    """Disconnect a child from its parent's connections, also those in use: two processes must not share one."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in list(connections):
        with suppress(psycopg.Error):  # the connection is closed already
            os.dup2(nowhere, connection.pgconn.socket, inheritable=False)
    connections.clear()
    os.close(nowhere)
