"""Generations that come and go while workers, writers and readers are at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psycopg
import pytest

import pgencoder
from pgencoder import Database, Dims, Encoding
from pgencoder.catalog.objects import Objects
from pgencoder.errors import GenerationIncomplete, InvalidRequest
from pgencoder.ingest import backfill
from pgencoder.types import Generation
from pgencoder.worker.worker import WorkerOptions
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.schema.numbered import STATES, in_step, incomplete, queued


def die_while_queueing(monkeypatch: pytest.MonkeyPatch, db: Database, encoder: WordEncoder, rows: int) -> Generation:
    """Begin a generation of which only some rows are queued, as if the process were killed then."""

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backfill, "queue_existing", die)
        with pytest.raises(KeyboardInterrupt):
            db.reencode("articles", encoder)
    collection = db.collection("articles")
    generation = collection.generations[-1]
    with db.connection() as session:
        backfill.queue_piece(session, Objects(collection, db.vector_schema, generation), rows)
    return generation


@pytest.mark.parametrize("by", ["sync", "worker"])
def test_a_reencode_that_was_cut_short_is_completed(
    fifty_articles: Connection, db: Database, new_words: WordEncoder, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = die_while_queueing(monkeypatch, db, new_words, 20)
    assert not generation.queued
    assert queued(fifty_articles, 2) == list(range(1, 21))
    assert "not all rows of the table are queued yet" in incomplete(db)
    # changes on both sides of where it stands
    fifty_articles.execute(
        "INSERT INTO articles VALUES (-1, 'before'), (51, 'after'); DELETE FROM articles WHERE id IN (3, 33)"
    )
    fifty_articles.execute("UPDATE articles SET id = 0 WHERE id = 40; UPDATE articles SET id = 60 WHERE id = 10")
    if by == "sync":
        db.sync("articles")
    else:
        db.worker(encoders=[new_words]).run_once()
    in_step(fifty_articles, 1, 2)
    assert db.activate("articles").queued


def test_a_worker_follows_a_generation_whose_number_is_used_again(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    one, other = WordEncoder(name="one"), WordEncoder(Dims(32, 16), "other")
    other.encode_query = lambda text: words.encode_query(text[::-1])  # type: ignore[method-assign]
    db.reencode("articles", one)
    worker = db.worker(encoders=[words, one, other])
    worker.run_once()
    # between two looks of the worker
    db.drop("articles")
    db.reencode("articles", other)
    worker.run_once()
    in_step(fifty_articles, 1, 2)
    db.activate("articles")
    assert check(fifty_articles, db, "articles", other) == 50


def test_a_number_that_is_used_again_while_a_worker_is_busy_gets_no_vectors_of_the_old_encoder(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    one, other = WordEncoder(name="one"), WordEncoder(name="other")
    other.encode_query = lambda text: words.encode_query(text[::-1])  # type: ignore[method-assign]

    def swap(*_: object) -> None:
        """After the first batch, which is within a second of the worker's last look."""
        if other.fingerprint not in [each.encoder for each in db.collection("articles").generations]:
            db.drop("articles", 2)
            db.reencode("articles", other)

    db.reencode("articles", one)
    fifty_articles.execute("UPDATE articles SET body = body || ' changed'")
    db.worker(encoders=[one, other], options=WorkerOptions(batch_rows=5), on_report=swap).run_once()
    assert len(one.encoded) < 50
    db.worker(encoders=[words, one, other]).run_once()
    in_step(fifty_articles, 1, 2)
    db.activate("articles")
    assert check(fifty_articles, db, "articles", other) == 50


def test_a_worker_follows_a_collection_that_is_attached_again(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    other = WordEncoder(Dims(40, 24), "other")
    worker = db.worker(encoders=[words, other])
    worker.run_once()
    db.detach("articles")
    db.attach("articles", ["body"], other, tokens="halfvec")
    worker.run_once()
    assert check(fifty_articles, db, "articles", other) == 50
    assert value(fifty_articles, "SELECT to_regclass('pgencoder.articles_1_dense') IS NOT NULL") is True


def test_a_batch_of_a_generation_that_is_dropped_meanwhile_harms_nothing(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    class Dropping(WordEncoder):
        def encode_documents(self, texts: object) -> list[pgencoder.Encoding]:
            if len(db.collection("articles").generations) > 1:
                db.drop("articles", 2)
            return super().encode_documents(texts)  # type: ignore[arg-type]

    db.reencode("articles", dropping := Dropping(name="dropping"))
    db.worker(encoders=[words, dropping]).run_once()
    assert fifty_articles.execute(STATES).fetchall() == [(1, "active")]
    in_step(fifty_articles, 1)


@pytest.mark.parametrize("kind", ["partitioned", "inherited"])
def test_generations_of_tables_with_children(
    connection: Connection,
    other_session: Connection,
    db: Database,
    words: WordEncoder,
    new_words: WordEncoder,
    kind: str,
) -> None:
    connection.execute(
        "CREATE TABLE articles (id int PRIMARY KEY, body text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF articles FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE high PARTITION OF articles FOR VALUES FROM (10) TO (100)"
        if kind == "partitioned"
        else "CREATE TABLE articles (id int PRIMARY KEY, body text);"
        "CREATE TABLE low () INHERITS (articles); CREATE TABLE high () INHERITS (articles)"
    )
    connection.execute("INSERT INTO low VALUES (1, 'one'); INSERT INTO high VALUES (11, 'eleven')")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    # by a writer that names a child only
    other_session.execute("BEGIN; UPDATE high SET body = 'twelve'")
    timer = threading.Timer(0.3, lambda: other_session.execute("COMMIT"))
    timer.start()
    assert db.reencode("articles", new_words) == 2
    timer.join()
    connection.execute("INSERT INTO low VALUES (2, 'two'); UPDATE articles SET body = 'ten' WHERE id = 1")
    db.sync("articles")
    in_step(connection, 1, 2)


def test_a_generation_that_encoded_nothing_is_not_activated_by_changes(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    class Down(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            raise RuntimeError("no GPU")

    db.reencode("articles", Down(name="down"))
    assert "no GPU" in str(db.sync("articles").error)
    # now every key waits in both
    fifty_articles.execute("UPDATE articles SET body = body || ' changed'")
    with pytest.raises(GenerationIncomplete, match="50 rows are encoded in the active generation"):
        db.activate("articles")
    assert len(db.search("articles", "number", k=50, encoder=words)) == 50


def test_the_same_model_again_and_another_form(fifty_articles: Connection, db: Database, words: WordEncoder) -> None:
    assert db.reencode("articles", tokens="halfvec") == 50
    db.sync("articles")
    assert db.activate("articles").token_type == "halfvec"
    assert check(fifty_articles, db, "articles", words) == 50
    with pytest.raises(InvalidRequest, match="give that too"):
        db.reencode("articles", token_model="another")


def test_a_late_change_reaches_a_generation_that_began_meanwhile(
    fifty_articles: Connection, db: Database, words: WordEncoder
) -> None:
    new = WordEncoder(name="new")
    fifty_articles.execute("INSERT INTO pgencoder.late (collection, key) VALUES ('articles', '{7}')")
    with db.connection() as worker:
        stale = db.collection("articles")
        db.reencode("articles", new)
        db.sync("articles")
        fifty_articles.execute("INSERT INTO pgencoder.late (collection, key) VALUES ('articles', '{8}')")
        assert len(stale.generations) == 1
        assert backfill.move_late(worker, "articles")
    for number in (1, 2):
        assert value(fifty_articles, f"SELECT array_agg(id) FROM pgencoder.articles_{number}_queue") == [8]


def test_drop_holds_up_no_writer_while_somebody_reads(
    fifty_articles: Connection, db: Database, other_session: Connection
) -> None:
    db.reencode("articles", WordEncoder(name="new"))
    db.sync("articles")
    with psycopg.connect(other_session.info.dsn, autocommit=True) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM pgencoder.articles_2")
        dropping = threading.Thread(target=lambda: db.drop("articles"))
        dropping.start()
        other_session.execute("SET statement_timeout = '300ms'")
        for i in range(20):
            other_session.execute("UPDATE articles SET body = %s WHERE id = 1", [f"{i}"])
            time.sleep(0.05)
        assert dropping.is_alive()
        reader.execute("COMMIT")
        dropping.join(20)
    assert not dropping.is_alive()
