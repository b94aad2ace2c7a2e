"""A worker as a process that can be killed: python -m tests.chaos.worker URL."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from unittest import mock

from psycopg import sql

import pgencoder
from pgencoder import Encoding
from pgencoder.catalog import objects
from pgencoder.errors import ConnectionFailed
from pgencoder.ingest import queue
from pgencoder.statements import query
from pgencoder.types import Matrix
from pgencoder.worker.worker import Worker, WorkerOptions
from tests.encoder import WordEncoder

LEASE_SECONDS = 2.0
POLL_SECONDS = 0.2
BATCH_ROWS = 16


class Words(WordEncoder):
    """The word encoder, with a memory: the same few words come again and again."""

    @staticmethod
    @lru_cache(4096)
    def _vector(word: str, dims: int) -> Matrix:
        return WordEncoder._vector(word, dims)


class Slow(Words):
    """Takes its time, so that kills, crashes and changes fall into the encoding."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        encoded = super().encode_documents(texts)
        time.sleep(self.seconds)
        return encoded


def take_out(what: str) -> None:
    """Break the worker of this process on purpose.

    Without "seq", finishing takes a key off the queue although its row has changed since it was read. Without "lease",
    a claim lasts for ever, and so for longer than its worker.
    """
    if what == "seq":
        finish = query("finish").as_string(None)
        broken = sql.SQL(finish.replace("queue.seq OPERATOR(pg_catalog.=) claim.seq", "true"))
        assert broken.as_string(None) != finish
        mock.patch.object(objects, "query", lambda name: broken if name == "finish" else query(name)).start()
    elif what == "lease":
        claim, extend = queue.claim, queue.extend

        def claim_for_ever(
            connection: Any,
            parts: objects.Objects,
            which: queue.Which,
            rows: int,
            lease: float,
            after: int | None,
        ) -> queue.Claim:
            return claim(connection, parts, which, rows, 1e6, after)

        def extend_for_ever(connection: Any, parts: objects.Objects, claimed: queue.Claim, lease: float) -> None:
            extend(connection, parts, claimed, 1e6)

        mock.patch.object(queue, "claim", claim_for_ever).start()
        mock.patch.object(queue, "extend", extend_for_ever).start()


def work(url: str, encoder: pgencoder.Encoder) -> None:
    """Encode what is queued until SIGTERM."""
    options = WorkerOptions(lease=LEASE_SECONDS, poll=POLL_SECONDS, batch_rows=BATCH_ROWS)
    with pgencoder.connect(url) as db:
        worker = _worker(db, encoder, options)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        print("ready", flush=True)
        worker.run()


def _worker(db: pgencoder.Database, encoder: pgencoder.Encoder, options: WorkerOptions) -> Worker:
    """A worker, once the server answers: one that is started during a crash of it waits for that."""
    while True:
        try:
            return db.worker(encoders=[encoder], options=options)
        except ConnectionFailed:
            time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=0.0, help="that each call of the encoder takes")
    parser.add_argument("--without", choices=["seq", "lease"])
    arguments = parser.parse_args()
    if arguments.without is not None:
        take_out(arguments.without)
    work(arguments.url, Slow(arguments.seconds))


if __name__ == "__main__":
    main()
