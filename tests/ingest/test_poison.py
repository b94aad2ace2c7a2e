"""A row that cannot be encoded fails alone, is tried again ever more seldom, and rests in the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from pgencoder import Database, Encoding
from pgencoder.catalog.objects import Objects
from pgencoder.ingest import queue
from pgencoder.worker.worker import WorkerOptions
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.troubled_encoders import MARKER, Poisoned

FAILED = "SELECT id, attempts, last_error FROM pgencoder.articles_1_queue WHERE last_error IS NOT NULL ORDER BY id"
# how long a row still waits, in seconds; None for one that rests
WAITS = (
    "SELECT attempts, CASE WHEN run_after < 'infinity' THEN extract(epoch FROM run_after - now())::float END"
    " FROM pgencoder.articles_1_queue WHERE id = 7"
)


class Shy(WordEncoder):
    """Raises for the marker only in company."""

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        if len(texts) > 1 and any(MARKER in text for text in texts):
            raise MemoryError
        return super().encode_documents(texts)


class Broken(WordEncoder):
    """Returns something that cannot be stored for the marker, and does not raise."""

    def __init__(self, dense: float = 1.0, token: float = 1.0, dims: int = 16) -> None:
        super().__init__()
        self.broken = Encoding(np.full(32, dense), np.full((2, dims), token))

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        found = super().encode_documents(texts)
        return [self.broken if MARKER in text else each for text, each in zip(texts, found, strict=True)]


def articles(connection: Connection, rows: int, poisonous: Sequence[int] = ()) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i = ANY (%s) THEN %s ELSE 'number ' END || i"
        " FROM generate_series(1, %s) AS i",
        [list(poisonous), f"{MARKER} ", rows],
    )


def let_time_pass(connection: Connection) -> None:
    """Everything that waits is due, and every lease has ended; what rests goes on resting."""
    connection.execute(
        "UPDATE pgencoder.articles_1_queue SET run_after = now() - interval '1 second',"
        " claimed_until = CASE WHEN claimed_until IS NOT NULL THEN now() - interval '1 second' END"
        " WHERE run_after < 'infinity'"
    )


def work(db: Database, encoder: WordEncoder, batch_rows: int = 256) -> None:
    db.worker(encoders=[encoder], options=WorkerOptions(batch_rows=batch_rows)).run_once()


def objects_of(db: Database) -> Objects:
    return Objects(db.collection("articles"), db.vector_schema)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (Poisoned(), "RuntimeError: cannot read this"),
        (Broken(dense=np.nan), "InvalidEncoding: the encoder returned NaN or infinity ('articles')"),
        (Broken(token=np.inf), "InvalidEncoding: the encoder returned NaN or infinity ('articles')"),
        (
            Broken(dims=15),
            "InvalidEncoding: expected a dense vector of 32 and tokens of 16 dimensions, got shapes (32,) and (2, 15)"
            " (collection 'articles')",
        ),
    ],
    ids=["raises", "nan", "infinity", "shape"],
)
def test_a_poison_row_fails_alone(connection: Connection, db: Database, encoder: WordEncoder, message: str) -> None:
    articles(connection, 50, [7])
    db.attach("articles", ["body"], encoder)
    report = db.sync("articles")
    assert (report.rows, report.passages, report.failed) == (49, 49, 1)
    assert connection.execute(FAILED).fetchall() == [(7, 1, message)]
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1_queue") == 1
    assert value(connection, "SELECT claimed_until FROM pgencoder.articles_1_queue") is None
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1 WHERE id <> 7") == 49
    connection.execute("DELETE FROM articles WHERE id = 7")
    assert db.sync("articles").deleted == 1
    check(connection, db, "articles", WordEncoder())


def test_what_fails_only_in_company_is_written(connection: Connection, db: Database) -> None:
    articles(connection, 50, [3, 7, 8])
    db.attach("articles", ["body"], Shy())
    report = db.sync("articles")
    assert (report.rows, report.failed) == (50, 0)
    assert check(connection, db, "articles", WordEncoder()) == 50


def test_several_poison_rows_fail_and_no_others(connection: Connection, db: Database) -> None:
    poisonous = [1, 2, 33, 64, 65, 100]
    articles(connection, 100, poisonous)
    db.attach("articles", ["body"], encoder := Poisoned())
    report = db.sync("articles")
    assert (report.rows, report.failed) == (94, 6)
    assert [row[:2] for row in connection.execute(FAILED)] == [(i, 1) for i in poisonous]
    # halving: no row is encoded more often than its forward pass can be halved
    assert max(encoder.encoded.count(text) for text in encoder.encoded) == 1


def test_the_old_passages_of_a_row_that_fails_stay(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection, 10)
    db.attach("articles", ["body"], words)
    db.sync("articles")
    connection.execute("UPDATE articles SET body = 'poison' WHERE id = 7")
    report = db.sync("articles", encoder=Poisoned())
    assert (report.rows, report.failed, report.error) == (0, 1, "RuntimeError: cannot read this")
    assert value(connection, "SELECT content FROM pgencoder.articles_1 WHERE id = 7") == "number 7"


def test_the_waits_grow_and_end_in_rest(connection: Connection, db: Database) -> None:
    articles(connection, 20, [7])
    db.attach("articles", ["body"], encoder := Poisoned())
    for attempt in range(1, queue.MOST_ATTEMPTS):
        work(db, encoder)
        found = connection.execute(WAITS).fetchone()
        assert found is not None
        expected = min(queue.SHORTEST_BACKOFF_SECONDS * 4 ** (attempt - 1), queue.LONGEST_BACKOFF_SECONDS)
        assert found[0] == attempt
        # a little less for the time that this test takes
        assert 0.5 * expected - 1 <= found[1] <= 1.5 * expected
        # not due, so not tried
        before = len(encoder.calls)
        if expected > 2:
            work(db, encoder)
            assert len(encoder.calls) == before
        let_time_pass(connection)
    work(db, encoder)
    assert connection.execute(WAITS).fetchone() == (queue.MOST_ATTEMPTS, None)
    assert connection.execute(FAILED).fetchall() == [(7, queue.MOST_ATTEMPTS, "RuntimeError: cannot read this")]


@pytest.fixture
def rested(connection: Connection, db: Database) -> Poisoned:
    """The row 7 has been tried to the end."""
    articles(connection, 10, [7])
    db.attach("articles", ["body"], encoder := Poisoned())
    for _ in range(queue.MOST_ATTEMPTS):
        work(db, encoder)
        let_time_pass(connection)
    assert connection.execute(WAITS).fetchone() == (queue.MOST_ATTEMPTS, None)
    encoder.calls.clear()
    return encoder


def test_a_row_that_rests_is_not_claimed(connection: Connection, db: Database, rested: Poisoned) -> None:
    work(db, rested)
    assert db.sync("articles").failed == 0
    with db.connection() as other:
        for which in queue.MOST_ROWS:
            assert queue.claim(other, objects_of(db), which, 10).keys == []
    assert rested.calls == []


def test_retry_queues_it_again(connection: Connection, db: Database, rested: Poisoned) -> None:
    assert db.retry("articles") == 1
    assert db.retry("articles") == 0
    waiting = "SELECT attempts, last_error, claimed_until, run_after <= now() FROM pgencoder.articles_1_queue"
    assert connection.execute(waiting).fetchall() == [(0, None, None, True)]
    work(db, rested)
    assert [row[:2] for row in connection.execute(FAILED)] == [(7, 1)]
    # also what would be tried by itself, without waiting for that
    assert db.retry("articles") == 1
    assert db.sync("articles", encoder=WordEncoder()).rows == 1
    check(connection, db, "articles", WordEncoder())


def test_a_change_makes_a_row_fresh(connection: Connection, db: Database, rested: Poisoned) -> None:
    connection.execute("UPDATE articles SET body = body WHERE id = 7")
    assert connection.execute(WAITS).fetchone() == (queue.MOST_ATTEMPTS, None)
    connection.execute("UPDATE articles SET body = 'poison of another kind' WHERE id = 7")
    assert connection.execute("SELECT attempts, last_error FROM pgencoder.articles_1_queue").fetchall() == [(0, None)]
    work(db, rested)
    assert [row[:2] for row in connection.execute(FAILED)] == [(7, 1)]
    connection.execute("UPDATE articles SET body = 'wholesome' WHERE id = 7")
    work(db, rested)
    assert check(connection, db, "articles", WordEncoder()) == 10


def test_a_row_that_rests_and_is_deleted_is_gone(connection: Connection, db: Database, rested: Poisoned) -> None:
    connection.execute("DELETE FROM articles WHERE id = 7")
    work(db, rested)
    assert check(connection, db, "articles", WordEncoder()) == 9
    assert rested.calls == []


def test_what_a_worker_died_of_comes_back_in_smaller_claims(connection: Connection, db: Database) -> None:
    articles(connection, 40)
    db.attach("articles", ["body"], words := WordEncoder())
    objects = objects_of(db)
    with db.connection() as other:

        def claimed(which: queue.Which) -> int:
            return len(queue.claim(other, objects, which, 256).seqs)

        assert claimed("new") == 40
        # while the leases hold nobody gets them
        assert [claimed(which) for which in queue.MOST_ROWS] == [0, 0, 0]
        let_time_pass(connection)
        assert claimed("new") == 0
        assert [claimed("again"), claimed("again"), claimed("again")] == [32, 8, 0]
        let_time_pass(connection)
        assert [claimed("new"), claimed("again")] == [0, 0]
        assert [claimed("alone") for _ in range(41)] == [1] * 40 + [0]
    let_time_pass(connection)
    work(db, words)
    assert check(connection, db, "articles", words) == 40


def test_a_row_that_kills_its_worker_each_time_ends_as_failed(connection: Connection, db: Database) -> None:
    articles(connection, 3, [2])
    db.attach("articles", ["body"], encoder := Poisoned())
    objects = objects_of(db)
    kinds: list[queue.Which] = ["new", "again", "alone"]
    with db.connection() as other:
        # whoever claims the row dies of it, and is not heard of again
        for attempt in range(1, queue.MOST_ATTEMPTS + 1):
            which = kinds[min(attempt, 3) - 1]
            while (found := queue.claim(other, objects, which, 256)).keys:
                if ("2",) not in found.keys:
                    queue.finish(other, objects, found, range(len(found.keys)))
                else:
                    assert found.attempts == [attempt] * len(found.keys)
            let_time_pass(connection)
    assert connection.execute("SELECT id FROM pgencoder.articles_1_queue").fetchall() == [(2,)]
    work(db, encoder)
    state = "SELECT attempts, run_after = 'infinity', claimed_until FROM pgencoder.articles_1_queue"
    assert connection.execute(state).fetchall() == [(queue.MOST_ATTEMPTS + 1, True, None)]
    assert connection.execute(FAILED).fetchall() == [
        (2, queue.MOST_ATTEMPTS + 1, f"{queue.MOST_ATTEMPTS} workers died while they encoded it")
    ]
    # it was not even tried
    assert encoder.calls == []
    assert db.retry("articles") == 1
    assert connection.execute("SELECT attempts FROM pgencoder.articles_1_queue").fetchall() == [(0,)]


def test_a_row_that_the_server_refuses_fails_alone(connection: Connection, db: Database, words: WordEncoder) -> None:
    articles(connection, 50, [7, 8])
    db.attach("articles", ["body"], words)
    connection.execute("ALTER TABLE pgencoder.articles_1 ADD CONSTRAINT wholesome CHECK (content NOT LIKE '%poison%')")
    report = db.sync("articles")
    assert (report.rows, report.passages, report.failed) == (48, 48, 2)
    found = connection.execute(FAILED).fetchall()
    assert [row[:2] for row in found] == [(7, 1), (8, 1)]
    assert all(row[2].startswith("CheckViolation: ") and "wholesome" in row[2] and "\n" not in row[2] for row in found)
    connection.execute("ALTER TABLE pgencoder.articles_1 DROP CONSTRAINT wholesome")
    assert db.retry("articles") == 2
    assert db.sync("articles").rows == 2
    assert check(connection, db, "articles", words) == 50


def test_if_the_server_refuses_every_row_that_is_reported(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    articles(connection, 2, [1, 2])
    db.attach("articles", ["body"], words)
    connection.execute("ALTER TABLE pgencoder.articles_1 ADD CONSTRAINT wholesome CHECK (content NOT LIKE '%poison%')")
    report = db.sync("articles")
    assert (report.rows, report.failed) == (0, 2)
    assert "wholesome" in str(report.error)


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_if_no_row_can_be_encoded_that_is_reported(connection: Connection, db: Database, rows: int) -> None:
    articles(connection, rows, range(1, rows + 1))
    db.attach("articles", ["body"], Broken(dense=np.nan))
    report = db.sync("articles")
    assert (report.rows, report.passages, report.failed) == (0, 0, rows)
    assert "NaN" in str(report.error)
    assert {row.error for row in db.failed("articles")} == {report.error}


def test_where_a_whole_batch_fails_the_rest_waits(connection: Connection, db: Database) -> None:
    articles(connection, 2000, range(1, 2001))
    db.attach("articles", ["body"], encoder := Poisoned())
    report = db.sync("articles")
    # some more may be read and encoded while the first batch is written
    assert 256 <= report.failed < 2000
    assert len(encoder.calls) < 4000
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1_queue") == 2000


def test_good_rows_and_bad_rows_take_turns(connection: Connection, db: Database) -> None:
    bad, good = range(1, 9), range(9, 41)
    articles(connection, 40, bad)
    db.attach("articles", ["body"], encoder := Poisoned())
    # as after two attempts: each is tried alone from now on
    connection.execute("UPDATE pgencoder.articles_1_queue SET attempts = 2 WHERE id < 9")
    let_time_pass(connection)
    work(db, encoder, batch_rows=4)
    kinds = [any(MARKER in text for text in call) for call in encoder.calls]
    assert sorted(kinds) == [False] * 8 + [True] * 8
    # never two of the bad before another of the good, while there are such
    last_good = len(kinds) - kinds[::-1].index(False)
    assert all(not (one and other) for one, other in pairwise(kinds[:last_good]))
    assert len(encoder.encoded) == len(good)
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1") == len(good)


def test_a_row_that_comes_while_bad_ones_wait_is_the_next_but_one(connection: Connection, db: Database) -> None:
    class Meanwhile(Poisoned):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if len(self.calls) == 3:
                connection.execute("INSERT INTO articles VALUES (100, 'just in')")
            return super().encode_documents(texts)

    articles(connection, 12, range(1, 13))
    db.attach("articles", ["body"], encoder := Meanwhile())
    connection.execute("UPDATE pgencoder.articles_1_queue SET attempts = 2")
    let_time_pass(connection)
    work(db, encoder)
    # one batch may have been fetched ahead, and one is another bad row's turn
    assert 3 < encoder.calls.index(["just in"]) <= 6
    assert len(encoder.calls) == 13
