"""What has not changed costs the model no time, and no passage ever has the vectors of another content."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from pgencoder import Database, Encoding
from pgencoder.encoders import Window
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check

CAPACITY = 8
ROW_HASHES = (
    "SELECT bool_and(row_hash = sha256(convert_to(body, 'UTF8'))) FROM pgencoder.articles_1 JOIN articles USING (id)"
)


class Reader(WordEncoder):
    """Reads eight words at once, as a model would, and has no vectors but for what it has read."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        super().__init__()
        tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        self.windows = [Window(tokenizer, capacity)]

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.encoded.extend(texts)
        capacity = self.windows[0].capacity
        return [self.encode_query(" ".join(text.split()[:capacity])) for text in texts]


def articles(connection: Connection, *bodies: str) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text, views int NOT NULL DEFAULT 0)")
    for number, body in enumerate(bodies, 1):
        connection.execute("INSERT INTO articles VALUES (%s, %s)", [number, body])


def sentences(*names: str) -> str:
    """Sentences of seven words: with the window, each is a passage."""
    return " ".join(f"{name} one two three four five six." for name in names)


def contents(connection: Connection, id_: int = 1) -> list[str]:
    statement = "SELECT content FROM pgencoder.articles_1 WHERE id = %s ORDER BY passage"
    return [content for (content,) in connection.execute(statement, [id_])]


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("chunking", ["default", "truncate"])
@pytest.mark.parametrize(
    "touch",
    [
        "UPDATE articles SET body = 'x'; UPDATE articles SET body = kept.body FROM kept WHERE kept.id = articles.id",
        "DELETE FROM articles; INSERT INTO articles SELECT * FROM kept",
        "TRUNCATE articles; INSERT INTO articles SELECT * FROM kept",
        "UPDATE articles SET id = id + 100; UPDATE articles SET id = id - 100",
    ],
    ids=["there and back", "deleted and inserted", "truncated and inserted", "key there and back"],
)
def test_a_touch_costs_no_model_time(
    connection: Connection, db: Database, reader: Reader, touch: str, chunking: str
) -> None:
    articles(connection, "short", sentences("Ann", "Ben", "Cid"), "words of another row", "")
    db.attach("articles", ["body"], reader, chunking=chunking)  # type: ignore[arg-type]
    db.sync("articles")
    before = connection.execute("SELECT * FROM pgencoder.articles_1 ORDER BY id, passage").fetchall()
    reader.encoded.clear()
    connection.execute("CREATE TABLE kept AS SELECT * FROM articles")
    connection.execute(touch.encode())
    report = db.sync("articles")
    assert reader.encoded == []
    # the row without content has no passage that could tell what it was
    assert (report.rows, report.unchanged, report.passages, report.encode_seconds < 0.1) == (4, 3, 0, True)
    assert connection.execute("SELECT * FROM pgencoder.articles_1 ORDER BY id, passage").fetchall() == before
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1_queue") == 0


def test_of_a_long_row_only_what_changed_is_encoded(connection: Connection, db: Database, reader: Reader) -> None:
    articles(connection, sentences("Ann", "Ben", "Cid", "Dan"))
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    before = contents(connection)
    assert before == [sentences(name) for name in ("Ann", "Ben", "Cid", "Dan")]
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = replace(body, 'Cid', 'Eve')")
    report = db.sync("articles")
    assert reader.encoded == [sentences("Eve")]
    assert (report.rows, report.unchanged, report.passages) == (1, 0, 4)
    check(connection, db, "articles", reader)
    assert value(connection, ROW_HASHES) is True


@pytest.mark.parametrize(
    ("names", "encoded"),
    [
        (("New", "Ann", "Ben", "Cid"), ["New"]),
        (("Ben", "Cid"), []),
        (("Cid", "Ben", "Ann"), []),
        (("Ann", "Ann", "Cid", "Cid", "Cid"), []),
        (("Cid", "New", "Ann"), ["New"]),
    ],
    ids=["moved up", "moved down", "in another order", "more than once", "all at once"],
)
def test_passages_that_move_are_not_encoded_again(
    connection: Connection, db: Database, reader: Reader, names: tuple[str, ...], encoded: list[str]
) -> None:
    articles(connection, sentences("Ann", "Ben", "Cid"))
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = %s", [sentences(*names)])
    db.sync("articles")
    assert reader.encoded == [sentences(name) for name in encoded]
    assert contents(connection) == [sentences(name) for name in names]
    check(connection, db, "articles", reader)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE articles SET id = 10 WHERE id = 1",
        "UPDATE articles SET id = 3 - id WHERE id IN (1, 2)",
        "INSERT INTO articles SELECT 20, body FROM articles WHERE id = 1; DELETE FROM articles WHERE id = 1",
        "UPDATE articles SET body = other.body FROM articles other WHERE articles.id + other.id = 3",
    ],
    ids=["another key", "keys swapped", "copied and deleted", "contents swapped"],
)
def test_a_row_under_another_key_is_not_encoded_again(
    connection: Connection, db: Database, reader: Reader, change: str
) -> None:
    articles(connection, sentences("Ann", "Ben"), sentences("Cid", "Dan"), "unrelated")
    # so that two keys may change places in one statement
    connection.execute(
        "ALTER TABLE articles DROP CONSTRAINT articles_pkey, ADD PRIMARY KEY (id) DEFERRABLE INITIALLY IMMEDIATE"
    )
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    reader.encoded.clear()
    connection.execute(change.encode())
    report = db.sync("articles")
    assert reader.encoded == []
    assert report.unchanged == 0
    assert check(connection, db, "articles", reader) == 5


def test_vectors_are_taken_over_with_those_of_the_same_content_only(
    connection: Connection, db: Database, reader: Reader
) -> None:
    # many rows in one batch, some changed, some not, some gone, that share passages
    articles(connection, *(sentences(f"Own{i}", f"Shared{i % 3}") for i in range(30)))
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = replace(body, 'Own', 'Other') WHERE id % 3 = 0")
    connection.execute("UPDATE articles SET body = replace(body, 'Shared', 'Own') WHERE id % 3 = 1")
    connection.execute("DELETE FROM articles WHERE id % 5 = 0")
    db.sync("articles")
    assert not any("Shared" in text for text in reader.encoded)
    check(connection, db, "articles", reader)


def test_a_cut_text_never_has_the_vectors_of_another_content(connection: Connection, db: Database) -> None:
    class Whole(Reader):
        """Makes something of the whole text, as a tokenizer that looks past the limit does for the last word."""

        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            self.encoded.extend(texts)
            return [self.encode_query(text) for text in texts]

    encoder = Whole()
    head = "a b c d e f g h"
    articles(connection, f"{head} first end", f"{head} another one", "short")
    db.attach("articles", ["body"], encoder, chunking="truncate")
    db.sync("articles")
    vectors = "SELECT dense::text FROM pgencoder.articles_1 ORDER BY id"
    before = connection.execute(vectors).fetchall()
    assert contents(connection, 1) == contents(connection, 2) == [head]
    assert before[0] != before[1]
    encoder.encoded.clear()
    # what is cut off changes: the content of the passage does not, its vectors may
    connection.execute("UPDATE articles SET body = %s WHERE id = 1", [f"{head} second end"])
    connection.execute("UPDATE articles SET id = 4 WHERE id = 2")
    report = db.sync("articles")
    assert sorted(encoder.encoded) == [f"{head} another one", f"{head} second end"]
    assert report.unchanged == 0
    after = connection.execute(vectors).fetchall()
    assert after[0] not in before
    assert after[1:] == [before[2], before[1]]


@pytest.mark.parametrize("empty", ["", "  \n\t", None])
def test_content_that_becomes_empty_loses_its_passages(
    connection: Connection, db: Database, reader: Reader, empty: str | None
) -> None:
    articles(connection, sentences("Ann", "Ben"), "stays")
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = %s WHERE id = 1", [empty])
    report = db.sync("articles")
    assert (report.rows, report.passages, report.deleted, reader.encoded) == (1, 0, 0, [])
    assert contents(connection) == []
    check(connection, db, "articles", reader)
    connection.execute("UPDATE articles SET body = 'back' WHERE id = 1")
    db.sync("articles")
    assert check(connection, db, "articles", reader) == 2


def test_fewer_passages_than_before_leave_none_behind(connection: Connection, db: Database, reader: Reader) -> None:
    articles(connection, sentences("Ann", "Ben", "Cid", "Dan"))
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    connection.execute("UPDATE articles SET body = %s", [sentences("Dan")])
    db.sync("articles")
    assert contents(connection) == [sentences("Dan")]
    check(connection, db, "articles", reader)


@pytest.mark.parametrize("chunking", ["default", "truncate"])
def test_passages_from_before_row_hashes_get_them(
    connection: Connection, db: Database, reader: Reader, chunking: str
) -> None:
    articles(connection, sentences("Ann", "Ben"), "short")
    db.attach("articles", ["body"], reader, chunking=chunking)  # type: ignore[arg-type]
    db.sync("articles")
    connection.execute("UPDATE pgencoder.articles_1 SET row_hash = NULL")
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = 'x' || body; UPDATE articles SET body = substr(body, 2)")
    report = db.sync("articles")
    # what a passage of a cut text was made of is not known without the hash of the row
    assert len(reader.encoded) == (0 if chunking == "default" else 2)
    assert (report.rows, report.unchanged) == (2, 0)
    assert value(connection, ROW_HASHES) is True
    connection.execute("UPDATE articles SET body = 'x' || body; UPDATE articles SET body = substr(body, 2)")
    assert db.sync("articles").unchanged == 2
    check(connection, db, "articles", reader)


def test_half_vectors_are_taken_over_bit_by_bit(connection: Connection, db: Database, reader: Reader) -> None:
    articles(connection, sentences("Ann", "Ben", "Cid"))
    db.attach("articles", ["body"], reader, tokens="halfvec")
    db.sync("articles")
    statement = "SELECT content, dense::text, tokens::text FROM pgencoder.articles_1 ORDER BY content"
    before = connection.execute(statement).fetchall()
    reader.encoded.clear()
    connection.execute("UPDATE articles SET body = %s", [sentences("Cid", "Ann", "Ben")])
    db.sync("articles")
    assert reader.encoded == []
    assert connection.execute(statement).fetchall() == before
    check(connection, db, "articles", reader)


def test_what_was_kept_is_written_although_the_encoder_fails_for_others(
    connection: Connection, db: Database, reader: Reader
) -> None:
    class Failing(Reader):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            raise RuntimeError("no model")

    articles(connection, sentences("Ann", "Ben"), sentences("Cid", "Dan"))
    db.attach("articles", ["body"], reader)
    db.sync("articles")
    # the first needs no model, of the second one passage does
    connection.execute("UPDATE articles SET body = %s WHERE id = 1", [sentences("Ben", "Ann")])
    connection.execute("UPDATE articles SET body = %s WHERE id = 2", [sentences("Cid", "New")])
    report = db.sync("articles", encoder=Failing())
    assert (report.rows, report.passages, report.failed) == (1, 2, 1)
    assert contents(connection, 1) == [sentences("Ben"), sentences("Ann")]
    assert contents(connection, 2) == [sentences("Cid"), sentences("Dan")]
    db.sync("articles", encoder=reader)
    check(connection, db, "articles", reader)


def test_passages_that_overlap_are_found_again(connection: Connection, db: Database, minilm: WordEncoder) -> None:
    # the real tokenizer, whose passages overlap; only two short forward passes of the model
    body = " ".join(f"Sentence number {i} says something about Postgres, vectors and rows." for i in range(60))
    articles(connection, body)
    db.attach("articles", ["body"], minilm)
    first = db.sync("articles").passages
    before = contents(connection)
    assert first > 2
    assert all(one[-20:] in other for one, other in pairwise(before))
    calls: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(minilm, name)

        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            calls.extend(texts)
            return minilm.encode_documents(texts)

    connection.execute("UPDATE articles SET body = body || ' One more.'")
    report = db.sync("articles", encoder=Counting())  # type: ignore[arg-type]
    assert report.passages >= first
    assert calls == [content for content in contents(connection) if content not in before]
    assert len(calls) < first
    assert np.isfinite(report.encode_seconds)
