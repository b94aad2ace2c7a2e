"""Connections that a process would share with its children."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
import sqlalchemy as sa

from pgencoder import forks


def part_in_children(engine: sa.Engine) -> None:
    """Let each child that this process forks make connections of its own, and have none of those of this engine."""
    connections: WeakSet[psycopg.Connection[Any]] = WeakSet()

    @sa.event.listens_for(engine, "connect")
    def _note(connection: psycopg.Connection[Any], _record: object) -> None:
        connections.add(connection)

    def part(engine: sa.Engine) -> None:
        _cut_off(connections)
        engine.dispose(close=False)

    forks.in_children(engine, part)


def _cut_off(connections: WeakSet[psycopg.Connection[Any]]) -> None:
    """Take connections from a child, also those that are in use: the server would hear two processes as one."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in list(connections):
        with suppress(psycopg.Error):  # it is closed
            os.dup2(nowhere, connection.pgconn.socket, inheritable=False)
    connections.clear()
    os.close(nowhere)
