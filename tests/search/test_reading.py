"""A row that cannot be read fails alone: the others of its batch are encoded, and its error is kept."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.errors import InvalidSource
from pgencoder.ingest import queue
from tests.connections import Connection, url_of, value
from tests.encoder import WordEncoder
from tests.passages import check

QUEUED = "SELECT id, attempts, last_error FROM pgencoder.articles_1_queue ORDER BY id"
BAD = [1, 7, 8, 63, 100]


@pytest.fixture
def articles(connection: Connection) -> Connection:
    """A table whose rows `BAD` no output function writes: a value of an enum that the catalogue lost."""
    connection.execute("CREATE TYPE mood AS ENUM ('glad', 'lost')")
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text, mood mood)")
    connection.execute(
        "INSERT INTO articles SELECT i, 'number ' || i, CASE WHEN i = ANY (%s) THEN 'lost'::mood ELSE 'glad' END"
        " FROM generate_series(1, 100) AS i",
        [BAD],
    )
    connection.execute("DELETE FROM pg_enum WHERE enumlabel = 'lost' AND enumtypid = 'mood'::regtype")
    with pytest.raises(psycopg.Error, match="invalid internal value for enum"):
        connection.execute("SELECT mood::text FROM articles")
    return connection


def test_rows_that_cannot_be_read_fail_alone(articles: Connection, db: Database, words: WordEncoder) -> None:
    assert db.attach("articles", ["body", "mood"], words) == 100
    report = db.sync("articles")
    assert (report.rows, report.failed, report.passages) == (95, 5, 95)
    assert "invalid internal value for enum" in str(report.error)
    assert report.index_built
    rows = articles.execute(QUEUED).fetchall()
    assert [row[:2] for row in rows] == [(i, 1) for i in BAD]
    assert all("invalid internal value for enum" in row[2] for row in rows)
    assert {row.key["id"] for row in db.failed("articles")} == set(BAD)
    articles.execute("DELETE FROM articles WHERE id = ANY (%s)", [BAD])
    db.sync("articles")
    assert check(articles, db, "articles", words) == 95


@pytest.mark.parametrize("bad", [[1], list(range(1, 101))], ids=["one", "all"])
def test_where_only_such_rows_are_left_sync_reports_them(
    articles: Connection, db: Database, words: WordEncoder, bad: list[int]
) -> None:
    articles.execute("DELETE FROM articles WHERE id <> ALL (%s) OR id <> ALL (%s)", [bad, BAD])
    count = int(str(value(articles, "SELECT count(*) FROM articles")))
    db.attach("articles", ["body", "mood"], words)
    for _ in range(2):
        report = db.sync("articles")
        assert (report.rows, report.failed) == (0, count)
        assert len(articles.execute(QUEUED).fetchall()) == count


def test_reconcile_passes_over_what_cannot_be_read(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body", "mood"], words)
    db.sync("articles")
    articles.execute("ALTER TABLE articles DISABLE TRIGGER USER")
    articles.execute("UPDATE articles SET body = 'another ' || id WHERE id IN (2, 62, 64, 99)")
    articles.execute("ALTER TABLE articles ENABLE TRIGGER USER")
    articles.execute("DELETE FROM pgencoder.articles_1_queue WHERE id = 7")
    report = db.reconcile("articles")
    assert (report.rows, report.stale, report.missing) == (100, 4, 1)
    assert db.sync("articles").rows == 4
    assert {row.key["id"] for row in db.failed("articles")} == set(BAD)


def test_what_concerns_the_table_is_raised(articles: Connection, db: Database, words: WordEncoder) -> None:
    articles.execute("DELETE FROM articles WHERE id = ANY (%s)", [BAD])
    db.attach("articles", ["body", "mood"], words)
    articles.execute("ALTER TABLE articles RENAME COLUMN mood TO spirit")
    with pytest.raises(InvalidSource, match="no column mood"):
        db.sync("articles")
    assert articles.execute("SELECT max(attempts), count(*) FROM pgencoder.articles_1_queue").fetchone() == (0, 95)


def test_the_rows_read_are_those_claimed(articles: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("articles", ["body", "mood"], words)
    articles.execute("DELETE FROM articles WHERE id IN (3, 64)")
    db.sync("articles")
    assert value(articles, "SELECT count(*) FROM pgencoder.articles_1 WHERE content <> 'number ' || id || ' glad'") == 0
    assert value(articles, "SELECT count(*) FROM pgencoder.articles_1_queue WHERE id IN (3, 64)") == 0


def test_text_of_no_encoding_fails_alone(connection: Connection, server_url: sa.URL, words: WordEncoder) -> None:
    """In a database without an encoding a text may be any bytes."""
    connection.execute("CREATE DATABASE plain_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with pgencoder.connect(url_of(server_url, "plain_bytes")) as db:
            db.migrate()
            with db.connection() as other:
                other.execute("CREATE TABLE public.articles (id int PRIMARY KEY, body text)")
                other.execute(r"INSERT INTO public.articles SELECT i, 'number ' || i FROM generate_series(1, 20) AS i")
                other.execute(r"UPDATE public.articles SET body = E'\xff\xfe' WHERE id = 7")
            db.attach("articles", ["body"], words)
            report = db.sync("articles")
            assert (report.rows, report.failed) == (19, 1)
            assert db.failed("articles")[0].key == {"id": 7}
            assert "invalid byte sequence" in db.failed("articles")[0].error
    finally:
        connection.execute("DROP DATABASE plain_bytes WITH (FORCE)")


def test_one_read_where_nothing_fails(
    articles: Connection, db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles.execute("DELETE FROM articles WHERE id = ANY (%s)", [BAD])
    db.attach("articles", ["body", "mood"], words)
    reads: list[int] = []
    read = queue.read_rows

    def counted(*arguments: object) -> object:
        reads.append(1)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "read_rows", counted)
    db.sync("articles")
    assert len(reads) == 1
