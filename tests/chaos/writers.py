"""Threads that change the table as applications do, and put up with what applications put up with."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from typing import Any

import psycopg
from psycopg import errors as pg

from tests.chaos.plans import ROLLBACK_TO, SAVEPOINT, Drawer, Plan

ATTEMPTS = 3


class Writer:
    """Executes the plans of one drawer until it is told to stop.

    `changes` are the rows changed by what was committed for sure. `counts` says how transactions ended.
    `private_failures` are those of transactions on keys that nobody but this writer touches: if one fails because of
    a concurrent change, then a worker is to blame.
    """

    def __init__(self, number: int, url: str, drawer: Drawer, private_locks: Sequence[threading.Lock], pace: Random):
        self.changes = 0
        self.counts: Counter[str] = Counter()
        self.private_failures: list[str] = []
        self._url = url
        self._number = number
        self._drawer = drawer
        self._locks = private_locks
        self._pace = pace
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, stop: threading.Event, pause: float) -> None:
        """Write, with pauses of up to `pause` seconds between the transactions."""
        try:
            while not stop.is_set():
                self._transact(self._drawer.plan(), stop)
                stop.wait(self._pace.uniform(0, pause))
        finally:
            if self._connection is not None:
                self._connection.close()

    def _transact(self, plan: Plan, stop: threading.Event) -> None:
        with ExitStack() as held:
            # TRUNCATE touches the private keys of all, so that none of their transactions may be open at the time
            for lock in self._locks if plan.truncates else self._locks[self._number :][: int(plan.private)]:
                held.enter_context(lock)
            for _ in range(ATTEMPTS):
                outcome = self._attempt(plan, stop)
                self.counts[outcome] += 1
                if outcome not in ("serialization failure", "deadlock"):
                    break

    def _attempt(self, plan: Plan, stop: threading.Event) -> str:
        """Execute a plan; returns how it ended."""
        connection = self._connected(stop)
        if connection is None:
            return "stopped"
        try:
            connection.isolation_level = plan.isolation
            changes = _execute(connection, plan)
            if not plan.commit:
                connection.rollback()
                return "rolled back"
            connection.commit()
        except pg.UniqueViolation:
            connection.rollback()
            return "unique violation"
        except (pg.SerializationFailure, pg.DeadlockDetected) as error:
            if plan.private:
                self.private_failures.append(f"{plan.isolation.name}, {type(error).__name__}: {error}")
            connection.rollback()
            return "deadlock" if isinstance(error, pg.DeadlockDetected) else "serialization failure"
        except psycopg.OperationalError:
            # whether a commit in flight took effect is unknown: it is not counted
            if not connection.closed:
                raise
            return "connection lost"
        self.changes += changes
        return "committed"

    def _connected(self, stop: threading.Event) -> psycopg.Connection[Any] | None:
        """The connection, made anew after a crash of the server; None if told to stop while there is none."""
        while self._connection is None or self._connection.closed:
            try:
                self._connection = psycopg.connect(self._url, application_name=f"writer {self._number}")
            except psycopg.OperationalError:
                if stop.wait(0.05):
                    return None
        return self._connection


def _execute(connection: psycopg.Connection[Any], plan: Plan) -> int:
    """Execute the steps of a plan; returns the number of rows changed."""
    changes = kept = 0
    for step in plan.steps:
        if step is SAVEPOINT:
            kept = changes
        done = connection.execute(step.statement, step.parameters)
        if step is ROLLBACK_TO:
            changes = kept
        command = (done.statusmessage or "").split(" ")[0]
        if command in ("INSERT", "UPDATE", "DELETE"):
            changes += done.rowcount
        elif command == "TRUNCATE":
            changes += 1
    return changes
