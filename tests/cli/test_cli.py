"""The command line as a process, as its users run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder.cli import demo
from pgencoder.cli.demo import docstrings
from pgencoder.db import embedded, postmaster
from tests.commands import Run, ok
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.fix_server import WITHOUT_NATIVE


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, title text, body text)")
    connection.execute(
        "INSERT INTO articles VALUES (1, 'en', 'Replication', 'A replica follows the primary with some lag.'),"
        " (2, 'en', 'Pasta', 'Boil it in salted water for nine minutes.'),"
        " (3, 'de', 'Nudeln', 'In Salzwasser kochen, neun Minuten::lang.')")  # fmt: skip
    return connection


def test_the_main_job(articles: Connection, command: Run) -> None:
    assert "no collections yet" in ok(command("status"))
    assert "no collections yet" in ok(command("worker", "--once"))
    assert "3 rows queued" in ok(command("attach", "articles", "--columns", "title, body"))
    assert "articles: 3 rows encoded, 3 passages" in ok(command("worker", "--once"))
    assert "articles: 0 rows encoded" in ok(command("worker", "--once"))
    text = ok(command("search", "articles", "how long to cook noodles", "-k", "2"))
    assert "Pasta Boil it in salted water" in text
    found = json.loads(ok(command("search", "articles", "noodles", "--json", "--filter", "lang = 'de' -- only")))
    assert [hit["key"] for hit in found] == [3]
    assert set(found[0]) == {
        "key",
        "score",
        "passage",
        "span",
        "content",
        "recall_rank",
        "dense_score",
        "relevance",
        "parts",
    }
    odd = command("search", "articles", "noodles", "--json", "--filter", "body LIKE '%::lang%' AND title::text <> ':x'")
    assert [hit["key"] for hit in json.loads(ok(odd))] == [3]
    assert "nothing found" in ok(command("search", "articles", "noodles", "--filter", "false"))
    status = json.loads(ok(command("status", "--json")))["collections"][0]
    assert (status["source_rows"], status["passages"], status["queued"]) == (3, 3, 0)
    assert status["fingerprint"]["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert "public.articles (title, body)" in ok(command("status"))
    assert "detached" in ok(command("detach", "articles"))
    assert json.loads(ok(command("status", "--json"))) == {"collections": [], "workers": []}
    assert "removed" in ok(command("migrate", "--to", "base"))
    assert "migrated" in ok(command("migrate"))


def test_an_error_is_one_line_that_says_what_to_do(articles: Connection, command: Run, url: str) -> None:
    ok(command("attach", "articles", "--columns", "body"))
    unmigrated = str(sa.make_url(url).set(database="postgres"))
    cases = [
        (command("status", database="mysql://x"), "write postgresql://"),
        (command("status", database="postgresql://127.0.0.1:1/x"), "check the URL"),
        (command("status", database=unmigrated), "run: pgencoder migrate"),
        (command("attach", "nowhere", "--columns", "a"), "no table 'nowhere'"),
        (command("attach", "articles", "--columns", "nothing"), "it has: id, lang, title, body"),
        (
            command("attach", "articles", "--columns", "title"),
            "already a collection 'articles' that differs in columns",
        ),
        (
            command("attach", "articles", "--columns", "body", "--name", "x", "--model", "no/such"),
            "cannot load 'no/such'",
        ),
        (command("search", "article", "x"), "there are: articles"),
        (command("search", "articles", "x", "-k", "0"), "k must be"),
        (command("search", "articles", "x", "--filter", "nope = 1"), 'column "nope" does not exist'),
        (command("eval", "."), "is not a BEIR folder"),
        (command("eval", ".", "--stages", "magic"), "no stage 'magic'"),
    ]
    for done, message in cases:
        assert done.returncode == 1
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("error: ")
        assert message in lines[0]


def test_the_native_kernel(
    connection: Connection, url: str, command: Run, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    assert "MaxSim kernel: pure SQL: " in ok(command("status"))
    assert json.loads(ok(command("native", "status", "--json")))["name"] == "sql"
    absent = command("native", "install", "--pg-config", str(tmp_path / "pg_config"))
    assert absent.returncode == 1
    assert absent.stderr.startswith("error: there is no ")
    connection.execute("DROP ROLE IF EXISTS no_superuser; CREATE ROLE no_superuser LOGIN")
    unknown = command("native", "build", database=str(sa.make_url(url).set(username="no_superuser")))
    connection.execute("DROP ROLE no_superuser")
    assert unknown.stderr.startswith("error: cannot find the installation of the server of --database")
    if (reason := pytestconfig.stash[WITHOUT_NATIVE]) is not None:
        pytest.skip(reason)
    assert "built for PostgreSQL" in ok(command("native", "build"))
    installed = ok(command("native", "install")).splitlines()
    assert installed[0].startswith("installed for PostgreSQL")
    assert installed[1].startswith("MaxSim kernel: native: extension pgencoder_native ")
    assert ok(command("native", "status")).splitlines() == installed[1:]
    assert "MaxSim kernel: native" in ok(command("migrate"))
    connection.execute("DROP EXTENSION pgencoder_native")
    assert "run: pgencoder native install" in ok(command("native", "status"))


def test_help_and_version(command: Run) -> None:
    assert pgencoder.__version__ in ok(command("--version", database=None))
    text = ok(command("--help", database=None))
    names = "demo migrate attach detach worker search encode status eval bench native"
    for name in names.split():
        assert name in text


def test_the_embedded_server_is_used_without_a_url(command: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.environ["XDG_DATA_HOME"] = str(home)
    try:
        assert "no collections yet" in ok(command("status", database=None))
    finally:
        del os.environ["XDG_DATA_HOME"]
    assert (home / "pgencoder" / "postgres" / "PG_VERSION").read_text().strip() == "18"


def test_the_demo_has_enough_to_search() -> None:
    rows = list(docstrings())
    names = {name for _, name, _ in rows}
    assert len(rows) >= 1500
    assert len(names) >= 0.99 * len(rows)
    assert {"subprocess.run", "pprint.pprint", "textwrap.TextWrapper.wrap"} <= names
    assert all(doc.strip() and module in sys.stdlib_module_names for module, _, doc in rows)


def test_the_demo(connection: Connection, command: Run) -> None:
    # a table that is there is used as it is, so this runs on a hundred rows in seconds
    rows = [row for row in docstrings() if row[0] in ("subprocess", "pprint", "threading")]
    connection.execute(
        "CREATE TABLE stdlib_docs"
        " (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, module text, name text UNIQUE, doc text)"
    )
    connection.cursor().executemany("INSERT INTO stdlib_docs (module, name, doc) VALUES (%s, %s, %s)", rows)
    first, second = ok(command("demo")), ok(command("demo"))
    for text in (first, second):
        assert "MaxSim kernel: " in text
        assert "run a command and capture its output" in text
        assert "subprocess.run" in text
        assert "dense, words and MaxSim" in text
        assert "search stdlib_docs" in text
    assert "rows encoded" in first
    assert "rows encoded" not in second


def test_the_benchmarks_of_ingestion(command: Run, dataset: Path) -> None:
    text = ok(command("bench", "ingest", str(dataset), "--runs", "1", "--documents", "2"))
    assert "2 documents, 2 passages, chunking default" in text
    assert "ratio of the sums" in text
    text = ok(command("bench", "write", "--passages", "300", "--workers", "1"))
    assert "300 passages, each 240 bit tokens of 384 dimensions" in text
    queued = json.loads(ok(command("bench", "queue", "--rows", "2048", "--changes", "100", "--json")))
    assert queued["changes"]["queued"] == 90
    assert "8,192 rows queued" in ok(command("bench", "queue", "--rows", "8192", "--changes", "100"))
    assert "got 'two'" in command("bench", "write", "--workers", "two").stderr
    assert json.loads(ok(command("status", "--json")))["collections"] == []


def test_import_is_light() -> None:
    heavy = {"torch", "sentence_transformers", "alembic", "sqlalchemy.orm"}
    code = f"import sys, pgencoder; assert not {heavy} & {{*sys.modules}}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_has_a_docstring() -> None:
    assert all(getattr(pgencoder, name).__doc__ for name in pgencoder.__all__)


def test_type_checkers_see_its_types() -> None:
    assert (Path(pgencoder.__file__).parent / "py.typed").exists()


def test_the_demo_answers_before_all_is_encoded(
    db: pgencoder.Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pgencoder.encoders, "load", lambda *_, **__: WordEncoder())
    monkeypatch.setattr(demo, "docstrings", lambda: [row for row in docstrings() if row[0] in ("abc", "pprint", "csv")])
    monkeypatch.setattr(demo, "FIRST_ROWS", 4)
    demo.run(db)
    expected = (
        r"^(\d+) rows encoded into \d+ passages in",
        r"^The first answers, from \1 docstrings:",
        f"^{demo.QUESTIONS[0]}",
        r"\d\.\d{3} (?:pprint|csv)\.",  # the everyday modules come first
        r"^The other \d+ docstrings take about \d+ seconds\. Stop it with \^C if you like;",
        r"^\d+ rows encoded into",
        "^Ask your own question",
    )
    text = capsys.readouterr().out
    assert re.search("(?:.|\n)*?".join(expected), text, re.M), text
    state = db.status()[0]
    assert state.queued == 0
    assert state.passages == state.source_rows
    keys = {hit.key for hit in db.search("stdlib_docs", "pretty print")}
    assert any(key.startswith("pprint.") for key in keys)


def test_other_programs_use_the_embedded_server(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    psql, pgencoder_program = embedded.program("psql"), Path(sys.executable).parent / "pgencoder"
    try:
        first = command("psql", "-XAtc", "SELECT 40 + 2", database=None)
        assert ok(first) == "42\n"
        assert command("psql", "-Xc", "SELECT nothing", database=None).returncode == 1
        done = subprocess.run(
            ["bash", "-euc", f'"{psql}" -XAtc "SELECT 40 + 2" "$({pgencoder_program} url --stay 2)"'],
            capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
        assert ok(done) == "42\n"
        assert "until no program has used it for 2 seconds" in done.stderr
        data = home / "pgencoder" / "postgres"
        while postmaster.find(data) is not None:  # the test ends with it
            time.sleep(0.1)
    finally:
        shutil.rmtree(home)


def test_psql_gets_the_password_where_nobody_reads_it(url: str, command: Run, tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\necho "$@"\necho "$PGPASSWORD"\n')
    program.chmod(0o755)
    secret = str(sa.make_url(url).set(password="s3cret").render_as_string(False))
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "pgencoder"), "psql", "--database", secret, "-c", "SELECT 1"],
        env=environment, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    arguments, password = ok(done).splitlines()
    assert password == "s3cret"
    assert "s3cret" not in arguments
    assert arguments.endswith(" -c SELECT 1")
    assert ok(command("url", database=secret)).strip() == secret
