"""Workers: woken, stopped, cut off, in the company of others, and seen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import pgencoder
from pgencoder import Database, Encoding, WorkerOptions
from pgencoder.catalog.objects import Objects
from pgencoder.errors import InvalidRequest, PortUnavailable
from pgencoder.ingest import queue, reading
from pgencoder.worker import metrics
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.workers import SECONDS, running, until

QUICK = WorkerOptions(lease=30, poll=0.1)


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 100) AS i")
    return connection


def waiting(connection: Connection) -> object:
    return value(connection, "SELECT count(*) FROM pgencoder.articles_1_queue")


class Hooked(WordEncoder):
    """Calls something before each forward pass."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.before = before
        self.calls: list[int] = []

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.calls.append(len(texts))
        self.before()
        return super().encode_documents(texts)


def test_a_worker_encodes_builds_the_index_and_is_seen(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    with running(db.worker(options=QUICK)):
        until(lambda: db.status()[0].indexed)
        (seen,) = db.workers()
        assert seen.alive
        assert seen.pid > 0
        assert seen.problem is None
    assert db.workers() == []
    assert check(articles, db, "articles", words) == 100


def test_a_collection_that_is_attached_again_is_worked_on(
    articles: Connection, db: Database, words: WordEncoder
) -> None:
    """Its tables have the same names, and are others."""
    db.attach("articles", ["body"], words)
    with running(db.worker(encoders=[words], options=WorkerOptions(poll=0.1))):
        until(lambda: not waiting(articles))
        db.detach("articles")
        db.attach("articles", ["body"], words)
        until(lambda: not waiting(articles))


def test_notify_wakes_it_long_before_it_looks_by_itself(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    with running(db.worker(options=WorkerOptions(poll=1000))):
        until(lambda: waiting(articles) == 0)
        until(lambda: value(articles, "SELECT bool_and(waiting) FROM pgencoder.worker"))
        articles.execute("UPDATE articles SET body = 'other words' WHERE id = 7")
        until(lambda: waiting(articles) == 0)
    assert check(articles, db, "articles", words) == 100


def test_a_stopped_worker_writes_what_is_complete_and_gives_back_the_rest(articles: Connection, db: Database) -> None:
    encoder = Hooked()
    db.attach("articles", ["body"], encoder)
    worker = db.worker(options=QUICK)
    encoder.before = worker.stop
    worker.run()
    assert encoder.calls == [32]
    assert waiting(articles) == 68
    untouched = "SELECT bool_and(attempts = 0 AND claimed_until IS NULL) FROM pgencoder.articles_1_queue"
    assert value(articles, untouched) is True
    encoder.before = lambda: None
    assert db.sync("articles").rows == 68
    assert check(articles, db, "articles", encoder) == 100


def test_leases_are_extended_while_a_batch_runs(articles: Connection, db: Database) -> None:
    taken: list[int] = []

    def look() -> None:
        # three leases long; another worker finds nothing to claim
        end = time.monotonic() + 0.9
        while time.monotonic() < end:
            with db.connection() as other:
                for which in queue.MOST_ROWS:
                    taken.extend(queue.claim(other, objects, which, 10).seqs)
            time.sleep(0.05)

    encoder = Hooked(look)
    db.attach("articles", ["body"], encoder)
    articles.execute("DELETE FROM articles WHERE id > 30")
    db.sync("articles", encoder=WordEncoder())
    articles.execute("UPDATE articles SET body = 'slow ' || id")
    objects = Objects(db.collection("articles"), db.vector_schema)
    with running(db.worker(options=WorkerOptions(lease=0.3, poll=0.1))):
        until(lambda: waiting(articles) == 0)
    assert taken == []


def test_a_claim_whose_worker_died_comes_back(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    with db.connection() as died:
        claimed = queue.claim(died, Objects(db.collection("articles"), db.vector_schema), "new", 100, lease=0.2)
    assert len(claimed.seqs) == 100
    assert db.sync("articles").rows == 0
    with running(db.worker(options=QUICK)):
        until(lambda: waiting(articles) == 0)
    assert check(articles, db, "articles", words) == 100


def test_dropped_connections_are_waited_out(articles: Connection, db: Database) -> None:
    def cut() -> None:
        encoder.before = lambda: None
        articles.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    encoder = Hooked(cut)
    db.attach("articles", ["body"], encoder)
    with running(db.worker(options=QUICK)):
        until(lambda: waiting(articles) == 0)
        cut()
        articles.execute("UPDATE articles SET body = 'after the cut' WHERE id = 1")
        until(lambda: waiting(articles) == 0)
    assert check(articles, db, "articles", encoder) == 100


def test_workers_share_a_queue_and_do_nothing_twice(articles: Connection, url: str, db: Database) -> None:
    articles.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(101, 2000) AS i")
    db.attach("articles", ["body"], WordEncoder())
    all_at_work = threading.Barrier(3, timeout=SECONDS)
    encoders = [Hooked() for _ in range(3)]
    for encoder in encoders:
        encoder.before = lambda encoder=encoder: len(encoder.calls) == 1 and all_at_work.wait()  # type: ignore[misc]
    databases = [pgencoder.connect(url) for _ in encoders]
    workers = [
        each.worker(encoders=[encoder], options=WorkerOptions(poll=0.1, batch_rows=64))
        for each, encoder in zip(databases, encoders, strict=True)
    ]
    with running(workers[0]), running(workers[1]), running(workers[2]):
        until(lambda: waiting(articles) == 0)
    encoded = [text for encoder in encoders for text in encoder.encoded]
    assert len(encoded) == len(set(encoded)) == 2000
    assert all(encoder.encoded for encoder in encoders)
    assert check(articles, db, "articles", encoders[0]) == 2000
    for each in databases:
        each.close()


def test_collections_take_turns(articles: Connection, db: Database) -> None:
    order: list[str] = []

    class Named(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            order.append(str(self.fingerprint["model"]))
            return super().encode_documents(texts)

    for name in ("first", "second", "third"):
        db.attach("articles", ["body"], Named(name=name), name=name)
    db.worker(options=WorkerOptions(batch_rows=20)).run_once()
    assert order == ["first", "second", "third"] * 5


def test_a_model_that_does_not_load_holds_up_nobody_else(
    articles: Connection, url: str, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], WordEncoder(name="unknown"), name="unloadable")
    db.attach("articles", ["body"], words)
    options = WorkerOptions(lease=0.5, poll=0.1)
    with pgencoder.connect(url) as other, running(other.worker(encoders=[words], options=options)):
        until(lambda: waiting(articles) == 0)
        until(lambda: "pass it as encoder=" in (db.workers()[0].problem or ""))


def test_a_dead_worker_shows(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    articles.execute(
        "INSERT INTO pgencoder.worker (id, host, pid, last_seen) VALUES"
        " (gen_random_uuid(), 'elsewhere', 42, now() - interval '1 hour'),"
        " (gen_random_uuid(), 'forgotten', 43, now() - interval '2 days')"
    )
    assert [worker.alive for worker in db.workers()] == [False, False]
    worker = db.worker(options=QUICK)
    with running(worker):
        until(lambda: waiting(articles) == 0)
        assert [each.host for each in db.workers() if not each.alive] == ["elsewhere"]


def test_metrics_are_those_of_the_view(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    worker = db.worker(options=QUICK)
    server = metrics.serve(worker, db.engine, "127.0.0.1", 0)
    worker.run_once()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    server.shutdown()
    server.server_close()
    labels = '{collection="articles",generation="1",state="active"}'
    assert f"pgencoder_coverage{labels} 1.0" in lines
    assert f"pgencoder_queued{labels} 0.0" in lines
    assert "pgencoder_worker_rows_total 100.0" in lines
    with pytest.raises(PortUnavailable, match="give another --metrics-port"):
        metrics.serve(worker, db.engine, "192.0.2.1", 1)


def test_the_status_view_counts_what_waits_is_in_flight_and_failed(
    articles: Connection, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], words)
    objects = Objects(db.collection("articles"), db.vector_schema)
    with db.connection() as other:
        claimed = queue.claim(other, objects, "new", 10)
        queue.fail(other, objects, claimed.take([0, 1]), {0: "no", 1: "neither"})
    articles.execute("UPDATE pgencoder.articles_1_queue SET run_after = 'infinity' WHERE last_error = 'no'")
    articles.execute("UPDATE pgencoder.articles_1_queue SET changed_at = now() - interval '1 hour' WHERE id = 50")
    row = articles.execute(
        "SELECT coverage, queued, in_flight, failed, lag_seconds::int, state, model, source_rows FROM pgencoder.status"
    ).fetchone()
    assert row == (0.0, 91, 8, 1, 3600, "active", "words", 100)
    failed = db.failed("articles")
    assert {(each.error, each.retry_at is None, each.attempts) for each in failed} == {
        ("no", True, 1),
        ("neither", False, 1),
    }
    assert set(failed[0].key) == {"id"}
    db.sync("articles")
    assert (db.status()[0].active.failed, db.status()[0].active.coverage) == (1, 0.91)


def test_forward_passes_are_bounded_by_tokens(articles: Connection, db: Database) -> None:
    articles.execute("UPDATE articles SET body = repeat('x', 2000) WHERE id <= 20")
    encoder = Hooked()
    db.attach("articles", ["body"], encoder)
    db.sync("articles")
    assert encoder.calls == [8, 8, 8, 32, 32, 12]  # 16,384 tokens at most, as far as the length tells


def test_batches_are_bounded_by_bytes(
    articles: Connection, db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES", 100)
    monkeypatch.setattr(reading, "PACKED_BYTES", 500)
    db.attach("articles", ["body"], words)
    seen: list[int] = []
    worker = db.worker(on_report=lambda _target, report: seen.append(report.rows))
    worker.run_once()
    assert max(seen) < 12
    assert check(articles, db, "articles", words) == 100


def test_a_worker_reconciles_when_it_is_told_to(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    db.sync("articles")
    articles.execute("ALTER TABLE articles DISABLE TRIGGER USER; UPDATE articles SET body = 'unseen' WHERE id = 3")
    with running(db.worker(options=WorkerOptions(poll=0.1, reconcile=0.2))):
        until(lambda: value(articles, "SELECT content FROM pgencoder.articles_1 WHERE id = 3") == "unseen")


def test_options_are_checked() -> None:
    with pytest.raises(InvalidRequest, match="lease must be more than 0, got 0"):
        WorkerOptions(lease=0)


@contextmanager
def started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, also where the test fails."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_process_ends_with_0_at_the_first_signal_and_at_once_at_the_second(
    articles: Connection, db: Database, url: str
) -> None:
    db.attach("articles", ["body"])
    command = [str(Path(sys.executable).parent / "pgencoder"), "worker", "--database", url, "--log-format", "json"]
    with started(command) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["message"] == "started"
        until(lambda: waiting(articles) == 0, 3 * SECONDS)  # it loads a model
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        last = [json.loads(line) for line in process.stderr.read().splitlines()][-1]
    assert (last["message"], last["rows"], last["level"]) == ("stopped", 100, "info")
    assert db.workers() == []
    with started(command) as process:
        assert process.stderr is not None
        process.stderr.readline()
        with articles.transaction():
            # a worker that cannot come to its end, because the catalogue is locked
            articles.execute("LOCK TABLE pgencoder.worker, pgencoder.collection")
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == -signal.SIGTERM


def test_what_is_wrong_with_one_collection_stops_no_other(
    articles: Connection, db: Database, words: WordEncoder
) -> None:
    other = WordEncoder(name="other")
    db.attach("articles", ["body"], words)
    db.attach("articles", ["body"], other, name="broken")
    articles.execute("DROP FUNCTION pgencoder.broken_read; INSERT INTO pgencoder.late (collection, key) VALUES"
                     " ('broken', '{not a number}')")  # fmt: skip
    with running(db.worker(options=WorkerOptions(lease=0.5, poll=0.1))):
        until(lambda: waiting(articles) == 0)
        until(lambda: "broken" in (db.workers()[0].problem or ""))
        db.detach("broken")
        articles.execute("UPDATE articles SET body = 'goes on' WHERE id = 1")
        until(lambda: waiting(articles) == 0)
    assert check(articles, db, "articles", words) == 100


def test_what_cannot_be_written_yet_is_not_encoded_again_and_again(articles: Connection, db: Database) -> None:
    encoder = Hooked()
    db.attach("articles", ["body"], encoder)
    worker = db.worker(options=WorkerOptions(batch_rows=10))
    # as while an index is built
    articles.execute("BEGIN; LOCK TABLE pgencoder.articles_1 IN SHARE MODE")
    threading.Timer(2.5, lambda: articles.execute("COMMIT")).start()
    worker.run_once()
    assert len(encoder.encoded) <= 100 + 30  # what was in hand when the lock was found
    assert check(articles, db, "articles", encoder) == 100


def test_where_nothing_can_be_encoded_the_rest_is_not_tried(articles: Connection, db: Database) -> None:
    def fail() -> None:
        raise RuntimeError("no GPU")

    encoder = Hooked(fail)
    db.attach("articles", ["body"], encoder)
    worker = db.worker(options=WorkerOptions(batch_rows=20))
    worker.run_once()
    assert worker.generations.problems == {"articles_1": "articles_1: no GPU"}
    tried = value(articles, "SELECT count(*) FROM pgencoder.articles_1_queue WHERE attempts > 0")
    assert isinstance(tried, int)
    assert 20 <= tried <= 60


def test_an_encoder_that_breaks_in_any_way_holds_up_nobody(
    articles: Connection, url: str, db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.attach("articles", ["body"], WordEncoder(name="broken"), name="broken")
    db.attach("articles", ["body"], words)
    with pgencoder.connect(url) as other:
        worker = other.worker(encoders=[words])

        def load(_fingerprint: object, device: str | None = None) -> None:
            raise RuntimeError(f"CUDA out of memory on {device}")

        monkeypatch.setattr("pgencoder.encoders.load_stored", load)
        worker.run_once()
        assert "CUDA out of memory" in worker.generations.problems["broken_1"]
    assert waiting(articles) == 0
