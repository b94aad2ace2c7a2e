"""What happens while and after the encoder works: nothing is lost, nothing stale stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pgencoder import Database, Dims, Encoding
from pgencoder.catalog.objects import Objects
from pgencoder.errors import FingerprintMismatch
from pgencoder.ingest import queue
from pgencoder.ingest.target import Target
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check
from tests.troubled_encoders import Interrupted


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 50) AS i")
    return connection


def waiting(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT id, attempts, last_error FROM pgencoder.articles_1_queue ORDER BY id").fetchall()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE articles SET body = 'changed meanwhile' WHERE id = 7",
        "DELETE FROM articles WHERE id = 7",
        "UPDATE articles SET id = 700 WHERE id = 7",
        "DELETE FROM articles WHERE id = 7; INSERT INTO articles VALUES (7, 'came back')",
        "TRUNCATE articles",
        "INSERT INTO articles VALUES (51, 'new')",
    ],
)
def test_a_change_while_its_row_is_encoded_is_not_lost(articles: Connection, db: Database, change: str) -> None:
    encoder = Interrupted(lambda: articles.execute(change.encode()))
    db.attach("articles", ["body"], encoder)
    db.sync("articles")
    check(articles, db, "articles", encoder)


def test_a_row_that_a_transaction_holds_stays_queued(articles: Connection, db: Database) -> None:
    encoder = Interrupted(lambda: articles.execute("BEGIN; UPDATE articles SET body = 'not yet visible' WHERE id = 7"))
    db.attach("articles", ["body"], encoder)
    collection = db.collection("articles")
    with db.connection() as other:
        objects = Objects(collection, db.vector_schema)
        target = Target(objects, encoder)
        batch = target.read(other, queue.claim(other, objects, "new", 50))
        target.encode(batch)
        # neither waits for the writer nor writes what it knows to be old
        assert target.write(other, batch).rows == 49
    assert articles.execute("SELECT count(*) FROM pgencoder.articles_1 WHERE id = 7").fetchone() == (0,)
    articles.execute("COMMIT")
    db.sync("articles")
    assert check(articles, db, "articles", encoder) == 50


def test_claims_go_on_after_the_last_and_look_back(
    articles: Connection, db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_SHARE", 1e9)  # not by itself while this test runs
    db.attach("articles", ["body"], words)
    with db.connection() as other:
        objects = Objects(db.collection("articles"), db.vector_schema)
        claimer = queue.Claimer(objects)

        def claim(which: queue.Which = "new", lease: float = 60, everywhere: bool = False) -> set[int]:
            claimed.append(claimer.claim(other, which, 10, lease, everywhere=everywhere))
            return {int(key) for (key,) in claimed[-1].keys}

        claimed: list[queue.Claim] = []
        assert claim() == set(range(1, 11))
        queue.release(other, objects, claimed[0])
        assert claim() == set(range(11, 21))
        assert claim(everywhere=True) == set(range(1, 11))
        assert claim(lease=0) == set(range(21, 31))
        assert claim("again") == set(range(21, 31))
        queue.extend(other, objects, claimed[1], 0)
        assert claim("again") == set()
        assert claim("again", everywhere=True) == set(range(11, 21))


def test_what_is_queued_behind_the_last_claim_is_encoded(
    articles: Connection, db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_SHARE", 1e9)

    def late() -> None:
        # as by a writer that got its numbers early and commits only now; at once, or a claim could come in between
        with articles.transaction():
            articles.execute("UPDATE articles SET body = body || '!' WHERE id <= 5")
            articles.execute("UPDATE pgencoder.articles_1_queue SET seq = -id WHERE id <= 5")

    encoder = Interrupted(late)
    db.attach("articles", ["body"], encoder)
    assert db.sync("articles").rows == 50
    check(articles, db, "articles", encoder)


class Failing(WordEncoder):
    """Encodes so many texts before it fails, and nothing after."""

    def __init__(self, texts: int) -> None:
        super().__init__()
        self.texts = texts

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.texts -= len(texts)
        if self.texts < 0:
            raise RuntimeError("out of\nmemory")
        return super().encode_documents(texts)


def test_an_encoder_that_fails_is_reported_and_loses_nothing(
    articles: Connection, db: Database, words: WordEncoder
) -> None:
    db.attach("articles", ["body"], Failing(0))
    report = db.sync("articles")
    assert (report.rows, report.failed, report.error) == (0, 50, "RuntimeError: out of memory")
    assert waiting(articles) == [(i, 1, "RuntimeError: out of memory") for i in range(1, 51)]
    assert db.sync("articles", encoder=words).rows == 50
    check(articles, db, "articles", words)


def test_what_is_too_much_for_one_pass_is_encoded_in_halves(articles: Connection, db: Database) -> None:
    class Small(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if len(texts) > 3:
                raise MemoryError
            return super().encode_documents(texts)

    encoder = Small()
    db.attach("articles", ["body"], encoder)
    report = db.sync("articles")
    assert (report.rows, report.failed) == (50, 0)
    check(articles, db, "articles", encoder)


def test_an_interrupt_from_the_keyboard_gives_the_batch_back(
    articles: Connection, db: Database, words: WordEncoder
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    db.attach("articles", ["body"], Interrupted(interrupt))
    with pytest.raises(KeyboardInterrupt):
        db.sync("articles")
    assert db.sync("articles", encoder=words).rows == 50


class Broken(WordEncoder):
    def __init__(self, dense: float, dims: Dims, fewer: int = 0) -> None:
        super().__init__()
        self.broken = Encoding(np.full(dims.dense, dense), np.ones((3, dims.tokens)))
        self.fewer = fewer

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        return [self.broken] * (len(texts) - self.fewer)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (Broken(np.nan, Dims(32, 16)), "NaN"),
        (Broken(np.inf, Dims(32, 16)), "infinity"),
        (Broken(1.0, Dims(31, 16)), "expected a dense vector of 32"),
        (Broken(1.0, Dims(32, 15)), "tokens of 16 dimensions"),
        (Broken(1.0, Dims(32, 16), fewer=1), "encodings for"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    articles: Connection, db: Database, words: WordEncoder, encoder: Broken, message: str
) -> None:
    db.attach("articles", ["body"], encoder)
    assert message in str(db.sync("articles").error)
    assert articles.execute("SELECT count(*) FROM pgencoder.articles_1").fetchone() == (0,)
    assert len(waiting(articles)) == 50
    db.sync("articles", encoder=words)
    assert check(articles, db, "articles", words) == 50


def test_vectors_of_another_encoder_are_refused(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    db.sync("articles")
    other = WordEncoder(name="other words")
    with pytest.raises(FingerprintMismatch, match="encoded by words, not by this other words"):
        db.sync("articles", encoder=other)
    with pytest.raises(FingerprintMismatch, match="differ in: model"):
        db.search("articles", "number", encoder=other)


def test_an_encoder_of_ones_own_must_be_given_again(url: str, articles: Connection, words: WordEncoder) -> None:
    import pgencoder

    first, second = pgencoder.connect(url), pgencoder.connect(url)
    first.attach("articles", ["body"], words)
    with pytest.raises(pgencoder.errors.EncoderError, match="pass it as encoder="):
        second.sync("articles")
    assert second.sync("articles", encoder=words).rows == 50
    assert second.search("articles", "number 7", k=1)[0].key == 7
    first.close()
    second.close()


def test_batches_are_sorted_by_length_and_progress_is_told(articles: Connection, db: Database) -> None:
    articles.execute("UPDATE articles SET body = repeat('word ', (id * 7) % 50 + 1)")
    calls: list[list[int]] = []

    class Watched(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            calls.append([len(text) for text in texts])
            return super().encode_documents(texts)

    db.attach("articles", ["body"], Watched())
    seen: list[tuple[int, int]] = []
    db.sync("articles", progress=lambda done, total: seen.append((done, total)))
    lengths = [length for call in calls for length in call]
    assert lengths == sorted(lengths, reverse=True)
    assert len(lengths) == 50
    assert seen == [(0, 50), (50, 50)]


def test_the_index_is_built_once_after_the_rows(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    assert not db.status()[0].indexed
    assert db.sync("articles").index_built
    assert db.status()[0].indexed
    assert not db.sync("articles").index_built


def test_an_attach_that_was_cut_short_is_completed(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body"], words)
    # as it is when the process dies between the triggers and the queueing of the rows that were there
    articles.execute("DELETE FROM pgencoder.articles_1_queue WHERE id > 20")
    articles.execute("UPDATE pgencoder.generation SET queued_at = NULL, queued_to = '{20}'")
    assert db.sync("articles").rows == 50
    check(articles, db, "articles", words)


def test_the_real_model_end_to_end(articles: Connection, db: Database) -> None:
    articles.execute("UPDATE articles SET body = repeat('Postgres stores rows in pages. ', 40) WHERE id = 1")
    db.attach("articles", ["body"])
    db.attach("articles", ["body"], name="cut", chunking="truncate", tokens="halfvec")
    assert db.sync("articles").passages > 50
    assert db.sync("cut").passages == 50
    assert [state.truncated_rows for state in db.status()] == [0, 1]
    assert db.search("articles", "how does Postgres store rows", k=1)[0].key == 1
    hit = db.search("cut", "how does Postgres store rows", k=1)[0]
    body = articles.execute("SELECT body FROM articles WHERE id = 1").fetchone()
    assert body is not None
    assert hit.content == body[0][: hit.span[1]]
    assert 0 < hit.span[1] < len(body[0])
