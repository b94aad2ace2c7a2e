"""Writers, workers and misfortune, all at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

import psycopg

import pgencoder
from tests.chaos.fleet import Fleet
from tests.chaos.plans import TABLE, Drawer, keys
from tests.chaos.server import Server
from tests.chaos.worker import POLL_SECONDS, Words
from tests.chaos.writers import Writer

WRITERS = 4
WORKERS = 3
LONGEST_SECONDS = 150  # a run that takes longer does not get anywhere


@dataclass(frozen=True)
class Scenario:
    """What must have happened before a run may end, and how.

    `groups` are the shared keys, 10 each: the fewer, the hotter. `pause` is the longest between two transactions of a
    writer, `interval` between two kills, `encoding` what a call of the encoder takes, `drain` what the workers may
    take after the last change; all in seconds. `without` is what the workers are to lack.
    """

    changes: int
    kills: int
    restarts: int
    groups: int
    pause: float
    interval: float
    encoding: float
    drain: float
    truncate: bool = False
    without: str | None = None


@dataclass
class Outcome:
    """What happened."""

    changes: int = 0
    kills: int = 0
    restarts: int = 0
    queued: int = 0
    exits: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    private_failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    drained: float = 0.0

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in self.counts.most_common())
        return (
            f"{self.changes} changes, {self.kills} kills, {self.restarts} restarts in {self.seconds:.0f} s,"
            f" then {self.drained:.1f} s to drain; transactions: {counts}; {len(self.private_failures)} failures on"
            " private keys"
        )


class Run:
    """One run of a scenario on a new database; afterwards the database is there to be looked at."""

    def __init__(self, scenario: Scenario, server: Server, dbname: str, seed: str, directory: Path) -> None:
        self.scenario = scenario
        self.server = server
        self.url = server.url(dbname)
        self.encoder = Words()
        self._random = Random(f"{seed}/misfortune")
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {dbname}".encode())
        self.db = pgencoder.connect(self.url)
        self.db.migrate()
        with psycopg.connect(self.url) as connection:
            connection.execute(TABLE)
        self.db.attach("notes", ["title", "body"], self.encoder)
        locks = [threading.Lock() for _ in range(WRITERS)]
        self._writers = []
        for number in range(WRITERS):
            drawer = Drawer(number, seed, keys(number, scenario.groups), truncate=scenario.truncate)
            self._writers.append(Writer(number, self.url, drawer, locks, Random(f"{seed}/pace {number}")))
        arguments = [self.url, "--seconds", str(scenario.encoding)]
        if scenario.without is not None:
            arguments += ["--without", scenario.without]
        self._fleet = Fleet(WORKERS, arguments, directory / f"{dbname}.log")
        self._restarts = 0
        self._left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fleet.close()
        self.db.close()

    def execute(self) -> Outcome:
        """Let everything happen, then let the workers finish."""
        started = time.monotonic()
        stop = threading.Event()
        with ThreadPoolExecutor(WRITERS) as pool:
            writing = [pool.submit(writer.run, stop, self.scenario.pause) for writer in self._writers]
            try:
                self._misfortune(writing)
            finally:
                stop.set()
        for future in writing:
            future.result()
        self._change_all()
        self._fleet.kill_all()
        seconds = time.monotonic() - started
        queued = self._drain()
        self._fleet.check()
        return Outcome(
            changes=self._changes,
            kills=self._fleet.kills,
            restarts=self._restarts,
            queued=queued,
            exits=self._fleet.stop(seconds=10),
            counts=sum((writer.counts for writer in self._writers), Counter()),
            private_failures=[failure for writer in self._writers for failure in writer.private_failures],
            seconds=seconds,
            drained=time.monotonic() - started - seconds,
        )

    @property
    def _changes(self) -> int:
        return sum(writer.changes for writer in self._writers)

    def _misfortune(self, writing: list[Future[None]]) -> None:
        """Kill and crash until there was enough of everything."""
        scenario = self.scenario
        deadline = time.monotonic() + LONGEST_SECONDS
        while (
            self._changes < scenario.changes or self._fleet.kills < scenario.kills or self._restarts < scenario.restarts
        ):
            for future in writing:
                if future.done():
                    future.result()
                    raise RuntimeError("a writer has ended by itself")
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {self._changes} changes and {self._fleet.kills} kills in {LONGEST_SECONDS} s")
            due = scenario.changes * (self._restarts + 1) / (scenario.restarts + 1)
            if self._restarts < scenario.restarts and self._changes >= due:
                self.server.restart_immediately()
                self._restarts += 1
            time.sleep(self._random.uniform(0, scenario.interval))
            self._leave_rows()
            time.sleep(self._random.uniform(0, POLL_SECONDS + scenario.encoding))
            self._fleet.kill(self._random)

    def _leave_rows(self) -> None:
        """Rows that no writer touches: if they are in a killed worker's hands, only the end of its lease helps them."""
        self._left += 1
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO notes SELECT %s, i::text, 'left', 'row ' || i FROM generate_series(1, 20) AS i",
                [1000 + self._left],
            )

    def _change_all(self) -> None:
        """Every row twice: the second time many are being encoded, and then many are in the workers' hands.

        No later change of theirs makes good what goes wrong with these.
        """
        for seconds in (self._random.uniform(0, self.scenario.encoding), self.scenario.encoding):
            with psycopg.connect(self.url) as connection:
                connection.execute("UPDATE notes SET body = body || ' again'")
            time.sleep(POLL_SECONDS + seconds)

    def _drain(self) -> int:
        """Wait until nothing is queued, nor about to be; returns how many keys are after the time allowed."""
        deadline = time.monotonic() + self.scenario.drain
        while (queued := self._queued()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return queued

    def _queued(self) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM pgencoder.late) + (SELECT count(*) FROM pgencoder.notes_1_queue)"
            ).fetchone()
        assert row is not None
        return int(row[0])
