"""Keeps the model busy: while one batch is encoded, the next is fetched and the last is written.

The encoder runs in the calling thread, the two others in a thread each; Postgres, the tokenizer and torch do their work
outside Python's lock. At most three batches are in memory.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import psycopg
import sqlalchemy as sa

from pgencoder.catalog.objects import Objects
from pgencoder.errors import ConnectionFailed
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.queue import Claim
from pgencoder.ingest.target import Target

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 15.0

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A batch and the target that it is for."""

    target: Target
    batch: Batch


class Leases:
    """The claims in flight: another thread extends their leases until they have been written or given back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, tuple[Objects, Claim]] = {}

    def hold(self, objects: Objects, claimed: Claim) -> None:
        """Begin to extend the lease."""
        with self._lock:
            self._held[id(claimed)] = objects, claimed

    def drop(self, claimed: Claim) -> None:
        """End it."""
        with self._lock:
            self._held.pop(id(claimed), None)

    def held(self) -> list[tuple[Objects, Claim]]:
        """What is in flight now."""
        with self._lock:
            return list(self._held.values())


def drain(fetch: Callable[[], Work | None], encode: Callable[[Work], object], store: Callable[[Work], object]) -> bool:
    """Work until `fetch` returns None; False if it did so at once.

    `store` gets every batch that was fetched, also after an error: it writes what is complete and gives back the rest.
    """
    worked = False
    in_hand: Work | None = None
    stored: Future[object] | None = None
    with ThreadPoolExecutor(1, "fetch") as fetching, ThreadPoolExecutor(1, "store") as storing:
        fetched = fetching.submit(fetch)
        try:
            while (in_hand := fetched.result()) is not None:
                worked = True
                fetched = fetching.submit(fetch)
                encode(in_hand)
                if stored is not None:
                    stored.result()
                stored = storing.submit(store, in_hand)
                in_hand = None
            if stored is not None:
                stored.result()
        except BaseException:  # an interrupt from the keyboard gives the batches back too
            with suppress(Exception):
                _give_back(in_hand, fetched, store)
            raise
    return worked


def _give_back(in_hand: Work | None, fetched: Future[Work | None], store: Callable[[Work], object]) -> None:
    if in_hand is not None:
        store(in_hand)
    if not fetched.cancel() and (next_one := fetched.result()) is not None and next_one is not in_hand:
        store(next_one)


def steadily(run: Callable[[], T], stopped: threading.Event) -> T:
    """Run until the server answers, with growing waits in between; raises what it last said once `stopped` is set."""
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return run()
        except Exception as error:
            if not out_of_reach(error) or stopped.is_set():
                raise
            said = one_line(error)
            extra = {"error": said, "wait": wait}
            logger.warning("the database is out of reach, trying again in %.1f s: %s", wait, said, extra=extra)
        stopped.wait(wait * (0.5 + random.random()))  # noqa: S311 - jitter
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def out_of_reach(error: BaseException) -> bool:
    """Tell if the same may work a while later: no connection, a server that restarts, too few resources, a deadlock."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, ConnectionFailed | psycopg.InterfaceError):
        return True
    state = cause.sqlstate if isinstance(cause, psycopg.OperationalError) else ""
    # 08P01 is a protocol violation: the same would be wrong again
    return state is None or (state[:2] in ("08", "40", "53", "57") and state != "08P01")


def one_line(error: BaseException | str) -> str:
    """Return what an error says, on one line."""
    return " ".join(str(error).split())
