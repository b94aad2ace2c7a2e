"""What waits is said: rows that a search could not find, collections that a worker skips, rows that fail."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.cli import logs
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.troubled_encoders import Poisoned

ELSEWHERE = "start a worker in the program that has its encoder: db.worker(encoders=[...]).run()"


@pytest.fixture
def attached(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles VALUES (1, 'alpha'), (2, 'beta')")
    db.attach("articles", ["body"], words)
    return connection


def test_a_search_says_that_rows_wait(attached: Connection, db: Database, caplog: pytest.LogCaptureFixture) -> None:
    assert db.search("articles", "alpha") == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages == [f"collection 'articles': 0 of 2 rows encoded; {ELSEWHERE}"]
    db.search("articles", "alpha")
    assert len(caplog.messages) == 1  # not at every search


def test_a_model_that_every_worker_loads_needs_no_program(
    attached: Connection, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    db.attach("articles", ["body"], name="notes")
    assert db.search("notes", "alpha") == []
    assert caplog.messages == ["collection 'notes': 0 of 2 rows encoded; start a worker: pgencoder worker"]


def test_a_search_that_lacks_nothing_asks_nothing(
    attached: Connection, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    db.sync("articles")
    attached.execute("INSERT INTO articles VALUES (3, 'gamma')")
    db.search("articles", "alpha", k=2)
    statements: list[str] = []
    sa.event.listen(db.own_engine, "checkout", lambda *_: statements.append("connection"))
    db.search("articles", "alpha", k=2)
    assert statements == ["connection"]
    assert caplog.messages == []
    db.search("articles", "alpha", k=3)
    assert caplog.messages == [f"collection 'articles': 2 of 3 rows encoded; {ELSEWHERE}"]


def test_where_nothing_waits_nothing_is_said(
    attached: Connection, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    db.sync("articles")
    assert len(db.search("articles", "alpha", k=10)) == 2
    assert caplog.messages == []


def test_one_that_may_not_see_the_queue_finds_what_there_is(
    attached: Connection, db: Database, url: str, words: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    db.migrate(roles=True)
    db.sync("articles")
    attached.execute("DROP ROLE IF EXISTS curious; CREATE ROLE curious LOGIN IN ROLE pgencoder_reader")
    attached.execute("GRANT SELECT ON articles TO curious; INSERT INTO articles VALUES (3, 'gamma')")
    try:
        with pgencoder.connect(sa.make_url(url).set(username="curious")) as reader:
            assert len(reader.search("articles", "alpha", encoder=words)) == 2
        assert caplog.messages == []
    finally:
        attached.execute("DROP OWNED BY curious, pgencoder_reader, pgencoder_worker")
        attached.execute("DROP ROLE curious, pgencoder_reader, pgencoder_worker")


def test_retrievers_say_it_too(attached: Connection, db: Database, caplog: pytest.LogCaptureFixture) -> None:
    from pgencoder.integrations.langchain import PgencoderRetriever

    PgencoderRetriever(db=db, collection="articles").invoke("alpha")
    assert "0 of 2 rows encoded" in caplog.text


def test_worker_once_skips_what_it_has_no_encoder_for(attached: Connection, db: Database, url: str) -> None:
    attached.execute("CREATE TABLE notes (id int PRIMARY KEY, body text); INSERT INTO notes VALUES (1, 'alpha')")
    db.attach("notes", ["body"])
    command = [str(Path(sys.executable).parent / "pgencoder"), "worker", "--once", "--database", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "notes: 1 rows encoded" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if "skipped" in line]
    assert "articles_1" in line
    assert "encoders=[...]" in line
    assert len(db.search("notes", "alpha")) == 1


def test_a_worker_shows_what_it_skips(attached: Connection, url: str) -> None:
    with pgencoder.connect(url) as other:
        worker = other.worker()
        worker.run_once()
        assert worker.generations.problems == {}
        (skipped,) = worker.generations.all_problems()
    assert "not one that pgencoder can load" in skipped


@pytest.mark.parametrize("text", ["plain", "ours", "json"])
def test_a_line_of_the_log_has_row_collection_and_error(attached: Connection, db: Database, text: str) -> None:
    attached.execute("UPDATE articles SET body = 'poison' WHERE id = 2")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter({"plain": logging.Formatter("%(message)s"), "ours": logs.Text(), "json": logs.Json()}[text])
    logger = logging.getLogger("pgencoder")
    logger.addHandler(handler)
    try:
        db.sync("articles", encoder=Poisoned())
    finally:
        logger.removeHandler(handler)
    (line,) = [line for line in written.getvalue().splitlines() if "cannot" in line]
    assert "articles: the row id=2 cannot be encoded (attempt 1): RuntimeError: cannot read this" in line
    if text == "ours":
        assert line.count("RuntimeError") == 1
