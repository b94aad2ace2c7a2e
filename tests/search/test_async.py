"""What is awaited: the event loop goes on while a query is encoded and searched."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

import pgencoder
from pgencoder import Database, Encoding
from pgencoder.errors import UnknownCollection
from tests.connections import Connection
from tests.encoder import WordEncoder

SECONDS = 30


class Waiting(WordEncoder):
    """Encodes a query only after the event loop has let it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()

    def encode_query(self, text: str) -> Encoding:
        if text == "wait":
            self.asked.set()
            assert self.let.wait(SECONDS), "the event loop was blocked"
        return super().encode_query(text)


@pytest.fixture
def articles(connection: Connection, db: Database) -> Waiting:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'wait number ' || i FROM generate_series(1, 20) AS i")
    encoder = Waiting()
    db.attach("articles", ["body"], encoder)
    db.sync("articles")
    return encoder


@pytest.mark.parametrize("call", ["asearch", "acontext", "aexplain", "aselect"])
def test_the_event_loop_goes_on(articles: Waiting, db: Database, call: str) -> None:
    calls: dict[str, Coroutine[Any, Any, Any]] = {
        "asearch": db.asearch("articles", "wait", 3),
        "acontext": db.acontext("articles", "wait", 100),
        "aexplain": db.aexplain("articles", "wait", 7),
        "aselect": pgencoder.aselect("articles", "wait", 3, db=db),
    }

    async def run() -> Any:
        waiting = asyncio.create_task(calls.pop(call))
        while not articles.asked.is_set():
            await asyncio.sleep(0.001)
        # the loop does other work, here a whole search, while the first query is being encoded
        assert len(await db.asearch("articles", "number 8", k=2)) == 2
        articles.let.set()
        return await waiting

    result = asyncio.run(run())
    for other in calls.values():
        other.close()
    articles.let.set()
    match call:
        case "asearch":
            assert result == db.search("articles", "wait", 3)
        case "acontext":
            assert result == db.context("articles", "wait", 100)
        case "aexplain":
            assert result.to_dict() == db.explain("articles", "wait", 7).to_dict()
        case "aselect":
            with db.engine.connect() as connection:
                assert len(connection.execute(result).all()) == 3


def test_what_a_web_application_asks(articles: Waiting, db: Database) -> None:
    async def run() -> None:
        status, workers, failed = await asyncio.gather(db.astatus(), db.aworkers(), db.afailed("articles"))
        assert status == db.status()
        assert workers == []
        assert failed == []
        found = await asyncio.gather(*(db.asearch("articles", f"number {i}", k=1) for i in range(1, 13)))
        assert [hits[0].key for hits in found] == list(range(1, 13))
        with pytest.raises(UnknownCollection, match="there are: articles"):
            await db.asearch("nothing", "text")

    asyncio.run(run())
