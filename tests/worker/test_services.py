"""Models of services in workers: the whole way by the command line, and a service that is away for a while."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import pgencoder
from pgencoder import Database, WorkerOptions
from pgencoder.encoders import http
from pgencoder.errors import EncoderUnavailable, FingerprintMismatch
from pgencoder.sqlalchemy import EncodedColumns
from pgencoder.worker import generations
from tests.commands import Run, ok
from tests.connections import Connection, value
from tests.embedding_service import Service
from tests.encoder import WordEncoder
from tests.passages import check
from tests.workers import running, until

CANARY = "sk-canary-77ab"
QUICK = WorkerOptions(poll=0.05, batch_rows=20)
QUEUED = "SELECT count(*) FROM pgencoder.articles_1_queue"
UNTRIED = (
    "SELECT bool_and(attempts = 0 AND claimed_until IS NULL AND last_error IS NULL) FROM pgencoder.articles_1_queue"
)


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 100) AS i")
    return connection


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are short, and there is a key."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setattr(http, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(generations, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(generations, "LONGEST_PAUSE_SECONDS", 0.1)


def test_the_whole_way_by_the_command_line(
    articles: Connection, server: Service, command: Run, db: Database, url: str
) -> None:
    ok(command("attach", "articles", "--columns", "body", "--model", "openai:small", "--lexical", "none"))
    ok(command("worker", "--once"))
    (first, *_) = json.loads(ok(command("search", "articles", "number 7", "-k", "3", "--json")))
    assert first["key"] in (7, {"id": 7})
    assert {headers["Authorization"] for _, headers, _ in server.requests} == {f"Bearer {CANARY}"}
    assert "openai:small" in ok(command("list"))
    state = json.loads(ok(command("status", "--json")))["collections"][0]
    (made,) = state["generations"]
    assert (made["model"], made["tokens"], made["coverage"]) == ("openai:small", "none", 1)
    dumped = articles.execute(
        "SELECT row_to_json(c)::text || row_to_json(g)::text FROM pgencoder.collection c, pgencoder.generation g"
    ).fetchall()
    assert dumped
    assert CANARY not in str(dumped)


def test_token_vectors_of_a_local_model_stand_beside(
    articles: Connection, server: Service, db: Database, url: str, checkpoint: Callable[[str], str]
) -> None:
    articles.execute("DELETE FROM articles WHERE id > 20")
    db.attach("articles", ["body"], "openai:small", token_model=checkpoint("colbert"))
    with pgencoder.connect(url) as other:
        assert other.sync("articles").passages == 20
        (first, *_) = other.search("articles", "number 7", k=3)
        assert set(first.parts) >= {"dense", "maxsim"}
        assert [word.word for word in first.explain().words][:1] == ["number"]
    stored = "SELECT bool_and(cardinality(tokens) > 1) FROM pgencoder.articles_1"
    assert value(articles, stored) is True
    with pytest.raises(FingerprintMismatch, match=r"they differ in: .*token_weights"):
        db.search("articles", "number 7", encoder=pgencoder.load_encoder("openai:small", checkpoint("bert")))


def test_a_class_may_declare_it(articles: Connection, server: Service, db: Database) -> None:
    class Base(DeclarativeBase):
        pass

    class Article(Base):
        __tablename__ = "articles"
        __encoding__ = EncodedColumns(["body"], "openai:small")
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    pgencoder.attach_all(Base, db)
    db.sync("articles")
    server.requests.clear()
    pgencoder.attach_all(Base, db)
    assert (len(db.collections()[0].generations), server.requests) == (1, []), "known by its name"
    statement = pgencoder.select(Article, "number 7", k=1, db=db)
    with Session(db.engine) as session:
        assert session.execute(statement).all()[0][0].id == 7


def test_rows_are_not_blamed_for_a_service_that_is_away(
    articles: Connection, server: Service, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pgencoder")
    db.attach("articles", ["body"], "openai:small")
    server.requests.clear()
    server.always = 503
    with running(db.worker(options=QUICK)) as _:
        until(lambda: len(server.requests) >= 8)
        until(lambda: value(articles, UNTRIED) is True)
        assert value(articles, QUEUED) == 100
        server.always = None
        until(lambda: value(articles, QUEUED) == 0)
    said = [record.getMessage() for record in caplog.records if "articles_1" in record.getMessage()]
    paused = [line for line in said if line.startswith("paused")]
    assert len(paused) == 1
    assert "paused, trying again until it works: articles_1: openai:small at" in paused[0]
    assert "status 503" in paused[0]
    assert [line for line in said if line.startswith("its service answers")]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert CANARY not in "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert value(articles, "SELECT count(*) FROM pgencoder.articles_1") == 100


def test_the_problem_is_in_status_until_the_service_answers(
    articles: Connection, server: Service, db: Database
) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.always = 401
    with running(db.worker(options=WorkerOptions(poll=0.05, lease=0.3))):
        until(lambda: ["set OPENAI_API_KEY" in (each.problem or "") for each in db.workers()] == [True])
        server.always = None
        until(lambda: value(articles, QUEUED) == 0)
        until(lambda: db.workers()[0].problem is None)


def test_one_request_is_a_trial_and_the_waits_grow(
    articles: Connection, server: Service, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.requests.clear()
    server.always = (429, {"Retry-After": "0"}, b"")
    worker = db.worker(options=QUICK)
    worker.run_once()
    # the first request is repeated three times; then each trial is one
    assert len(server.requests) == 4 + generations.MOST_PAUSES - 1
    assert value(articles, UNTRIED) is True
    assert value(articles, QUEUED) == 100
    assert "status 429" in worker.generations.problems["articles_1"]
    server.always = None
    worker.run_once()
    assert worker.generations.problems.keys() == {"articles_1"}, "it is left alone for a while"
    monkeypatch.setattr(worker.generations, "_aside", {})
    worker.run_once()
    assert worker.generations.problems == {}
    assert value(articles, QUEUED) == 0


def test_it_waits_as_long_as_the_service_asks(articles: Connection, server: Service, db: Database) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.always = (429, {"Retry-After": "40"}, b"")
    worker = db.worker(options=QUICK)
    with running(worker):
        until(lambda: worker.generations.paused("articles_1"))
        assert 38 < worker.generations.aside_for() <= 40


def test_sync_waits_a_little_and_then_raises(articles: Connection, server: Service, db: Database) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.script.extend([None, 500, 500, 500, 500, 500])
    assert db.sync("articles").rows == 100
    articles.execute("UPDATE articles SET body = 'other ' || id")
    server.script.append(None)
    server.always = 500
    with pytest.raises(EncoderUnavailable, match=r"openai:small at .*status 500"):
        db.sync("articles")
    assert value(articles, UNTRIED) is True
    assert value(articles, QUEUED) == 100 - 32
    server.always = None
    assert db.sync("articles").rows == 68


def test_a_text_that_the_service_refuses_fails_alone(articles: Connection, server: Service, db: Database) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.refused = "number 77"
    report = db.sync("articles")
    assert (report.rows, report.failed) == (99, 1)
    (failed,) = db.failed("articles")
    assert failed.key == {"id": 77}
    assert "status 400: " in failed.error
    assert "too long" in failed.error


def test_a_service_that_has_another_model_now(articles: Connection, server: Service, db: Database) -> None:
    db.attach("articles", ["body"], "openai:small?dimensions=16")
    server.always = lambda answer: json.dumps(
        {"data": [{**each, "embedding": each["embedding"] * 2} for each in answer["data"]]}
    ).encode()
    articles.execute("DELETE FROM articles WHERE id > 4")
    report = db.sync("articles")
    assert report.failed == 4
    assert (
        report.error
        == "InvalidEncoding: openai:small?dimensions=16 must return vectors of shape (1, 16), got shape (1, 32)"
    )
    assert value(articles, "SELECT count(*) FROM pgencoder.articles_1") == 0


def test_other_collections_go_on(articles: Connection, server: Service, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], "openai:small", name="away")
    db.attach("articles", ["body"], words)
    server.always = "hang up"
    with running(db.worker(options=QUICK)):
        until(lambda: value(articles, QUEUED) == 0)
    assert check(articles, db, "articles", words) == 100


def test_rows_that_are_gone_while_the_service_is_away_hold_up_nobody(
    articles: Connection, server: Service, db: Database
) -> None:
    db.attach("articles", ["body"], "openai:small")
    server.always = 500
    worker = db.worker(options=QUICK)
    with running(worker):
        until(lambda: worker.generations.problems)
        articles.execute("DELETE FROM articles")
        until(lambda: value(articles, QUEUED) == 0)
        until(lambda: not worker.generations.problems)
