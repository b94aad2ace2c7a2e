"""Writers are never in a worker's way nor a worker in theirs: old snapshots, TRUNCATE, locks, notifications."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pgencoder import Database
from pgencoder.catalog.objects import Objects
from pgencoder.ingest import backfill, queue
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.target import Target
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.troubled_encoders import Interrupted
from tests.workers import until

LATE = "SELECT collection, key FROM pgencoder.late ORDER BY id"
QUEUE = "SELECT id, attempts, claimed_until, last_error, run_after <= now() FROM pgencoder.articles_1_queue ORDER BY id"
STRICT = ["REPEATABLE READ", "SERIALIZABLE"]
CHANGES = {
    "update": "UPDATE articles SET body = 'by an old snapshot' WHERE id = 7",
    "delete": "DELETE FROM articles WHERE id = 7",
    "key": "UPDATE articles SET id = 700 WHERE id = 7",
    "delete and insert": "DELETE FROM articles WHERE id = 7; INSERT INTO articles VALUES (7, 'came back')",
    "many": "UPDATE articles SET body = 'all at once ' || id",
    "upsert": "INSERT INTO articles VALUES (7, 'x'), (51, 'y') ON CONFLICT (id) DO UPDATE SET body = 'upserted'",
}


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 50) AS i")
    return connection


@pytest.fixture
def writer(url: str) -> Iterator[Connection]:
    """An application's session, which no worker may hold up."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SET statement_timeout = '1s'")
        yield session


def begin(writer: Connection, isolation: str) -> None:
    """Open a transaction and take its snapshot."""
    writer.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
    writer.execute("SELECT count(*) FROM articles")


class Worker:
    """A worker in slow motion: it stops wherever the test wants it to."""

    def __init__(self, db: Database, connection: Connection, encoder: WordEncoder) -> None:
        self.connection = connection
        self.objects = Objects(db.collection("articles"), db.vector_schema)
        self.target = Target(self.objects, encoder)

    def claim(self) -> queue.Claim:
        return queue.claim(self.connection, self.objects, "new", 100)

    def encoded(self) -> Batch:
        batch = self.target.read(self.connection, self.claim())
        self.target.encode(batch)
        return batch


@pytest.fixture
def worker(articles: Connection, db: Database, words: WordEncoder) -> Iterator[Worker]:
    db.attach("articles", ["body"], words)
    with db.connection() as session:
        yield Worker(db, session, words)


@pytest.mark.parametrize("isolation", STRICT)
@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_older_than_a_claim(
    articles: Connection, writer: Connection, db: Database, worker: Worker, isolation: str, change: str
) -> None:
    begin(writer, isolation)
    batch = worker.encoded()
    writer.execute(CHANGES[change].encode())
    writer.execute("COMMIT")
    late = articles.execute(LATE).fetchall()
    assert ("articles", ["7"]) in late
    # what was claimed is written, stale for the moment: the change is on its way
    assert worker.target.write(worker.connection, batch).rows == 50
    db.sync("articles")
    assert articles.execute(LATE).fetchall() == []
    check(articles, db, "articles", WordEncoder())


@pytest.mark.parametrize("isolation", STRICT)
def test_a_snapshot_older_than_a_claim_that_is_finished(
    articles: Connection, writer: Connection, db: Database, worker: Worker, isolation: str
) -> None:
    begin(writer, isolation)
    worker.target.write(worker.connection, worker.encoded())
    writer.execute(CHANGES["many"].encode())
    writer.execute("COMMIT")
    db.sync("articles")
    assert articles.execute(LATE).fetchall() == []
    check(articles, db, "articles", WordEncoder())


@pytest.mark.parametrize("isolation", STRICT)
def test_a_late_change_that_a_worker_finds_while_it_encodes(
    articles: Connection, writer: Connection, db: Database, isolation: str
) -> None:
    def change() -> None:
        writer.execute("UPDATE articles SET body = 'late' WHERE id = 7")
        writer.execute("COMMIT")
        assert articles.execute(LATE).fetchall() == [("articles", ["7"])]

    encoder = Interrupted(change)
    db.attach("articles", ["body"], encoder)
    begin(writer, isolation)
    db.worker().run_once()
    assert articles.execute(LATE).fetchall() == []
    check(articles, db, "articles", encoder)


@pytest.mark.parametrize("isolation", STRICT)
def test_several_statements_of_one_old_snapshot(
    articles: Connection, writer: Connection, db: Database, worker: Worker, isolation: str
) -> None:
    begin(writer, isolation)
    worker.claim()
    for i in range(5):
        writer.execute("UPDATE articles SET body = %s WHERE id <= 10", [f"change {i}"])
        writer.execute("INSERT INTO articles VALUES (%s, 'new')", [100 + i])
    writer.execute("COMMIT")
    db.sync("articles", encoder=WordEncoder())
    articles.execute("UPDATE pgencoder.articles_1_queue SET run_after = now()")
    db.sync("articles")
    assert articles.execute(LATE).fetchall() == []
    check(articles, db, "articles", WordEncoder())


@pytest.mark.parametrize("isolation", STRICT)
@pytest.mark.parametrize("end", ["ROLLBACK", "ROLLBACK TO s; COMMIT"])
def test_a_rollback_leaves_nothing_late(
    articles: Connection, writer: Connection, db: Database, worker: Worker, isolation: str, end: str
) -> None:
    begin(writer, isolation)
    batch = worker.encoded()
    writer.execute("SAVEPOINT s; UPDATE articles SET body = 'never' WHERE id = 7; TRUNCATE articles")
    writer.execute(end.encode())
    assert articles.execute(LATE).fetchall() == []
    worker.target.write(worker.connection, batch)
    assert check(articles, db, "articles", WordEncoder()) == 50


def test_a_conflict_of_two_writers_is_still_an_error(
    articles: Connection, writer: Connection, db: Database, worker: Worker
) -> None:
    # what Postgres promises to the application is not for us to hide
    begin(writer, "REPEATABLE READ")
    articles.execute("UPDATE articles SET body = 'first' WHERE id = 7")
    with pytest.raises(psycopg.errors.SerializationFailure):
        writer.execute("UPDATE articles SET body = 'second' WHERE id = 7")
    writer.execute("ROLLBACK")
    db.sync("articles")
    check(articles, db, "articles", WordEncoder())


@pytest.mark.parametrize("isolation", ["READ COMMITTED", *STRICT])
@pytest.mark.parametrize("after", ["", "INSERT INTO articles VALUES (7, 'after'), (8, 'number 8')"])
@pytest.mark.parametrize("encoded_before", [0, 20], ids=["all new", "some encoded"])
def test_truncate_while_a_batch_is_encoded_leaves_no_orphan(
    articles: Connection, writer: Connection, db: Database, isolation: str, after: str, encoded_before: int
) -> None:
    def truncate() -> None:
        begin(writer, isolation)
        writer.execute("TRUNCATE articles")
        writer.execute(after.encode() or b"SELECT 1")
        writer.execute("COMMIT")

    encoder = Interrupted(lambda: None)
    db.attach("articles", ["body"], encoder)
    if encoded_before:
        db.sync("articles")
        articles.execute("UPDATE articles SET body = 'changed' WHERE id > %s", [encoded_before])
    encoder.during = truncate
    db.worker().run_once()
    assert articles.execute(LATE).fetchall() == []
    assert check(articles, db, "articles", encoder) == (2 if after else 0)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", *STRICT])
def test_truncate_between_encode_and_write_by_another_worker(
    articles: Connection, writer: Connection, db: Database, worker: Worker, isolation: str
) -> None:
    batch = worker.encoded()
    begin(writer, isolation)
    writer.execute("TRUNCATE articles; COMMIT")
    # another worker hears of it first: what this one has read is not to be written
    with db.connection() as other:
        assert backfill.move_late(other, "articles")
    report = worker.target.write(worker.connection, batch)
    assert (report.rows, report.passages) == (0, 0)
    db.sync("articles")
    assert check(articles, db, "articles", WordEncoder()) == 0


def test_a_truncate_that_is_not_committed_is_not_acted_upon(
    articles: Connection, writer: Connection, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], words)
    db.sync("articles")
    writer.execute("BEGIN; TRUNCATE articles")
    with db.connection() as other:
        assert not backfill.move_late(other, "articles")
    writer.execute("ROLLBACK")
    db.sync("articles")
    assert check(articles, db, "articles", words) == 50


@pytest.mark.parametrize("isolation", ["READ COMMITTED", *STRICT])
@pytest.mark.parametrize("change", [*CHANGES, "truncate"])
def test_a_writer_is_not_blocked_while_a_batch_is_encoded(
    articles: Connection, writer: Connection, db: Database, isolation: str, change: str
) -> None:
    def write() -> None:
        # with a statement timeout of one second; the batch is encoded after this has committed
        writer.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
        writer.execute((CHANGES | {"truncate": "TRUNCATE articles"})[change].encode())
        writer.execute("COMMIT")

    encoder = Interrupted(write)
    db.attach("articles", ["body"], encoder)
    db.sync("articles")
    check(articles, db, "articles", encoder)


def test_a_worker_does_not_wait_for_writers(
    articles: Connection, writer: Connection, db: Database, words: WordEncoder
) -> None:
    def write() -> None:
        writer.execute("BEGIN; UPDATE articles SET body = 'not yet' WHERE id IN (7, 8)")

    encoder = Interrupted(write)
    db.attach("articles", ["body"], encoder)
    db.worker().run_once()
    # what the writer holds stays queued, the rest is done
    assert value(articles, "SELECT count(*) FROM pgencoder.articles_1") == 48
    assert [row[0] for row in articles.execute(QUEUE)] == [7, 8]
    writer.execute("COMMIT")
    assert db.sync("articles").rows == 2
    check(articles, db, "articles", words)


def test_a_worker_that_cannot_lock_gives_its_batch_back(
    articles: Connection, writer: Connection, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], words)
    # what CREATE INDEX holds as long as it runs
    articles.execute("BEGIN; LOCK TABLE pgencoder.articles_1 IN SHARE MODE")
    worker = db.worker()
    working = threading.Thread(target=worker.run_once)  # it waits for the lock
    working.start()
    given_back = [(i, 0, None, None, True) for i in range(1, 51)]
    until(lambda: words.encoded and writer.execute(QUEUE).fetchall() == given_back)
    # no queue row is held: applications change what they like
    writer.execute("UPDATE articles SET body = 'changed' WHERE id < 10; DELETE FROM articles WHERE id = 50")
    assert value(writer, "SELECT count(*) FROM pgencoder.articles_1") == 0
    articles.execute("COMMIT")
    working.join(20)
    check(articles, db, "articles", words)


def test_a_worker_that_cannot_lock_holds_no_queue_row_meanwhile(
    articles: Connection, writer: Connection, worker: Worker
) -> None:
    batch = worker.encoded()
    articles.execute("BEGIN; LOCK TABLE pgencoder.articles_1 IN SHARE MODE")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        worker.target.write(worker.connection, batch)
    # not given back yet: but the rows are free, and the next change makes the claim void
    writer.execute("SET lock_timeout = '10ms'")
    writer.execute("UPDATE articles SET body = 'changed' WHERE id = 7")
    articles.execute("COMMIT")
    assert worker.target.write(worker.connection, batch).rows == 49


@pytest.fixture
def heard(articles: Connection, db: Database, words: WordEncoder) -> Callable[[str], list[str]]:
    """Execute a statement and say which notifications it sent; a session hears its own at once."""
    db.attach("articles", ["body"], words)
    db.sync("articles")
    notified: list[str] = []
    articles.add_notify_handler(lambda notification: notified.append(notification.payload))
    articles.execute("LISTEN pgencoder")

    def execute(statement: str) -> list[str]:
        notified.clear()
        articles.execute(statement.encode())
        articles.execute("SELECT 1")
        return list(notified)

    return execute


def somebody_waits(connection: Connection, waiting: bool = True, seen: str = "0 seconds") -> None:
    connection.execute("DELETE FROM pgencoder.worker")
    connection.execute(
        "INSERT INTO pgencoder.worker (id, host, pid, waiting, last_seen)"
        " VALUES (gen_random_uuid(), 'somewhere', 1, %s, now() - %s::interval)",
        [waiting, seen],
    )


INSERT = "INSERT INTO articles SELECT coalesce(max(id), 0) + 1, 'new' FROM articles"
NOTIFYING = [
    INSERT,
    "UPDATE articles SET body = body || ' changed' WHERE id = 1",
    "UPDATE articles SET id = 1000 WHERE id = 1",
    "DELETE FROM articles WHERE id = 2",
    "MERGE INTO articles USING (VALUES (3)) AS v (id) ON v.id = articles.id WHEN MATCHED THEN DELETE",
    "TRUNCATE articles",
]
SILENT = [
    "UPDATE articles SET body = body",
    "UPDATE articles SET body = 'x' WHERE false",
    "DELETE FROM articles WHERE false",
    "INSERT INTO articles SELECT 1, 'x' WHERE false",
    "INSERT INTO articles VALUES (1, 'x') ON CONFLICT DO NOTHING",
    f"BEGIN; {INSERT}; ROLLBACK",
    "SELECT count(*) FROM articles",
]


@pytest.mark.parametrize("isolation", ["READ COMMITTED", *STRICT])
def test_a_worker_is_notified_only_while_it_waits_and_only_of_changes(
    articles: Connection, heard: Callable[[str], list[str]], isolation: str
) -> None:
    articles.execute(f"SET default_transaction_isolation = '{isolation}'".encode())
    assert [heard(statement) for statement in (INSERT, *SILENT)] == [[]] * (1 + len(SILENT))
    somebody_waits(articles, waiting=False)
    assert heard(INSERT) == []
    somebody_waits(articles, seen="61 seconds")
    assert heard(INSERT) == []
    somebody_waits(articles)
    assert {statement: heard(statement) for statement in SILENT} == {key: [] for key in SILENT}
    assert {statement: heard(statement) for statement in NOTIFYING} == {key: ["articles"] for key in NOTIFYING}
    # one for all statements of a transaction
    assert heard(f"BEGIN; {INSERT}; DELETE FROM articles; {INSERT}; COMMIT") == ["articles"]


@pytest.mark.parametrize("isolation", STRICT)
def test_a_late_change_notifies_too(
    articles: Connection, db: Database, heard: Callable[[str], list[str]], isolation: str, url: str
) -> None:
    somebody_waits(articles)
    heard("UPDATE articles SET body = 'queued' WHERE id = 7")
    begin(articles, isolation)
    with psycopg.connect(url, autocommit=True) as other:
        objects = Objects(db.collection("articles"), db.vector_schema)
        assert queue.claim(other, objects, "new", 10).keys == [("7",)]
    assert heard("UPDATE articles SET body = 'late' WHERE id = 7; COMMIT") == ["articles"]
    assert articles.execute(LATE).fetchall() == [("articles", ["7"])]


def test_late_changes_of_one_row_are_encoded_once(
    articles: Connection, writer: Connection, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], words)
    db.sync("articles")
    words.encoded.clear()
    articles.execute("UPDATE articles SET body = 'first' WHERE id = 7")
    begin(writer, "REPEATABLE READ")
    db.sync("articles")
    # its own snapshot does not see that the key has been taken out of the queue
    writer.execute("UPDATE articles SET body = 'second' WHERE id = 7; UPDATE articles SET body = 'third' WHERE id = 7")
    writer.execute("COMMIT")
    db.sync("articles")
    assert words.encoded == ["first", "third"]
    check(articles, db, "articles", words)


@pytest.mark.parametrize(
    ("column", "statement"),
    [("id", "INSERT INTO articles VALUES (99, 'new')"), ("body", "UPDATE articles SET body2 = 'new'")],
)
def test_a_write_without_a_column_names_the_way_out(
    articles: Connection, db: Database, words: WordEncoder, column: str, statement: str
) -> None:
    db.attach("articles", ["body"], words)
    articles.execute(f"ALTER TABLE articles RENAME {column} TO {column}2".encode())
    with pytest.raises(
        psycopg.errors.UndefinedColumn, match=f"articles has no column {column} any more.*'articles'"
    ) as e:
        articles.execute(statement.encode())
    assert "pgencoder detach articles" in (e.value.diag.message_hint or "")
    db.detach("articles")
    articles.execute(statement.encode())
