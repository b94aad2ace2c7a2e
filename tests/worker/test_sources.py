"""Sources of work: the first that has something gets the model; and the model can be in another process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass
from unittest import mock

import psycopg
import pytest

from pgencoder import Database, Encoding, WorkerOptions
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection as Ours
from pgencoder.ingest import queue
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.target import Target
from pgencoder.types import Collection
from pgencoder.worker.work import Work, WorkSource
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.workers import running, until


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 100) AS i")
    connection.execute("CREATE TABLE questions (id serial PRIMARY KEY, body text, answer text)")
    return connection


class Noting(WordEncoder):
    """Notes each forward pass, and calls something before it."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events
        self.before: Callable[[], object] = lambda: None

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.events.append(f"{len(texts)} rows")
        self.before()
        return super().encode_documents(texts)


class Questions(WorkSource):
    """Questions that a table holds, each answered with the number of its words."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.in_hand: set[int] = set()

    def next(self, connection: Ours) -> Work | None:
        found = connection.execute(
            "SELECT id, body FROM public.questions WHERE answer IS NULL AND id <> ALL (%s::int[]) ORDER BY id",
            [list(self.in_hand)],
        ).fetchone()
        if found is None:
            return None
        self.in_hand.add(found[0])
        return _Question(self, *found)


class _Question(Work):
    def __init__(self, source: Questions, number: int, text: str) -> None:
        self.source = source
        self.number = number
        self.text = text
        self.answer = "none"

    def encode(self) -> Iterator[None]:
        yield
        self.source.events.append(self.text)
        if self.text == "fail":
            raise RuntimeError("no such words")
        self.answer = str(len(WordEncoder().encode_query(self.text).tokens))

    def write(self, connection: Ours) -> None:
        connection.execute("UPDATE public.questions SET answer = %s WHERE id = %s", [self.answer, self.number])

    def close(self) -> None:
        self.source.in_hand.remove(self.number)


def ask(connection: Connection, text: str) -> None:
    connection.execute("INSERT INTO questions (body) VALUES (%s)", [text])


def test_the_first_source_is_served_first_and_between_two_forward_passes(articles: Connection, db: Database) -> None:
    events: list[str] = []
    encoder = Noting(events)
    db.attach("articles", ["body"], encoder)
    worker = db.worker()
    worker.sources.insert(0, Questions(events))
    asked = iter(["while it encodes", "and again"])
    encoder.before = lambda: ask(articles, text) if (text := next(asked, "")) else None
    ask(articles, "first")
    worker.run_once()
    assert events == ["first", "32 rows", "while it encodes", "32 rows", "and again", "32 rows", "4 rows"]
    assert value(articles, "SELECT array_agg(answer ORDER BY id) FROM questions") == ["1", "3", "2"]
    assert check(articles, db, "articles", encoder) == 100


def test_urgent_work_that_fails_harms_no_row(articles: Connection, db: Database) -> None:
    events: list[str] = []
    encoder = Noting(events)
    db.attach("articles", ["body"], encoder)
    worker = db.worker()
    worker.sources.insert(0, Questions(events))
    encoder.before = lambda: ask(articles, "fail") if len(events) == 1 else None
    worker.run_once()
    assert events == ["32 rows", "fail", "32 rows", "32 rows", "4 rows"]
    assert worker.record.failures == 0
    assert check(articles, db, "articles", encoder) == 100


def test_an_idle_worker_is_woken_for_any_source(articles: Connection, db: Database) -> None:
    events: list[str] = []
    db.attach("articles", ["body"], Noting(events))
    worker = db.worker(options=WorkerOptions(poll=1000))
    worker.sources.insert(0, Questions(events))
    with running(worker):
        until(lambda: value(articles, "SELECT count(*) FROM pgencoder.articles_1_queue") == 0)
        until(lambda: value(articles, "SELECT bool_and(waiting) FROM pgencoder.worker"))
        articles.execute("INSERT INTO questions (body) VALUES ('are you there'); NOTIFY pgencoder")
        until(lambda: value(articles, "SELECT answer FROM questions") == "3")


def encode(collection: Collection, schema: str, batch: Batch) -> Batch:
    """What another machine does, which has the model and no database."""
    with mock.patch.object(psycopg.Connection, "connect", side_effect=AssertionError("there is no database")):
        return Target(Objects(collection, schema), WordEncoder()).encode(batch)


def unlike_plain(thing: object) -> list[object]:
    """What a value holds that is no text, bytes or number."""
    if thing is None or isinstance(thing, str | bytes | int | float):
        return []
    if is_dataclass(thing):
        return [each for field in fields(thing) for each in unlike_plain(getattr(thing, field.name))]
    if isinstance(thing, dict):
        return [each for pair in thing.items() for each in unlike_plain(pair)]
    if isinstance(thing, list | tuple | set):
        return [each for part in thing for each in unlike_plain(part)]
    return [thing]


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_a_batch_is_encoded_in_a_process_without_a_database(
    articles: Connection, db: Database, words: WordEncoder, tokens: str
) -> None:
    db.attach("articles", ["body"], words, tokens=tokens)  # type: ignore[arg-type]
    collection = db.collection("articles")
    target = Target(Objects(collection, db.vector_schema), words)
    with db.connection() as here:
        batch = target.read(here, target.claim(here, "new", 256, queue.LEASE_SECONDS))
        assert unlike_plain(batch) == []
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn) as elsewhere:
            encoded = elsewhere.submit(encode, collection, db.vector_schema, batch).result()
        assert unlike_plain(encoded) == []
        assert (len(batch.vectors), len(encoded.vectors)) == (0, 100)
        assert target.write(here, encoded).rows == 100
    assert words.encoded == []
    assert check(articles, db, "articles", words) == 100
