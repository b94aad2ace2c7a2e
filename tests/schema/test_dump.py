"""pg_dump and pg_restore into a new database give collections that work: nothing in them is known by its oid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

import pgencoder
from pgencoder import CollectionStatus, Database, Hit
from pgencoder.types import KernelName
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.commands import Tool
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.snapshots import catalog

WORDS = ["red", "green", "blue", "yellow", "black", "white", "purple", "orange"]
QUERIES = ["red green", "blue w7", "white purple orange", "nothing of it"]
COLLECTIONS = ["articles", "exact", "50% Off"]
SQL_SEARCH = sql.SQL("SELECT * FROM {}({}, {}, k => 5, group_by => {}, filter => {})")


def fill(connection: Connection) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, body text)")
    body = " || ' ' || ".join(f"(%(words)s::text[])[1 + i / {step} %% 8]" for step in (1, 8, 64))
    connection.execute(
        f"INSERT INTO articles SELECT i, CASE WHEN i %% 3 = 0 THEN 'en' ELSE 'de' END, {body} || ' w' || i"
        " FROM generate_series(1, 80) AS i",
        {"words": WORDS},
    )
    connection.execute(
        """
        CREATE SCHEMA "My Shop";
        CREATE TYPE "My Shop".size AS ENUM ('small', 'so so');
        CREATE TABLE "My Shop"."50% Off" (
            passage text COLLATE "C", size "My Shop".size, "The Text" text, PRIMARY KEY (passage, size)
        ) PARTITION BY LIST (size);
        CREATE TABLE "My Shop".small PARTITION OF "My Shop"."50% Off" FOR VALUES IN ('small');
        CREATE TABLE "My Shop".other PARTITION OF "My Shop"."50% Off" DEFAULT;
        INSERT INTO "My Shop"."50% Off" VALUES ('a', 'small', 'a red hat'), ('B', 'so so', 'blue, 100% wool');
        """
    )


def use_maxsim(connection: Connection) -> None:
    """Objects of a user's own, whose values a restore computes anew, with an empty search path."""
    connection.execute(
        """
        CREATE TABLE notes (
            id int PRIMARY KEY,
            tokens halfvec[] NOT NULL,
            score float8 GENERATED ALWAYS AS (pgencoder.maxsim(array['[1,0]', '[0,1]']::halfvec[], tokens)) STORED
        );
        INSERT INTO notes VALUES (1, array['[0.6,0.8]', '[1,0]']::halfvec[]), (2, array['[0,1]']::halfvec[]);
        CREATE INDEX ON notes (pgencoder.maxsim(array['[0.5,0.5]']::halfvec[], tokens));
        CREATE MATERIALIZED VIEW pairs AS
            SELECT id, pair.* FROM notes, pgencoder.maxsim_pairs(array['[1,0]', '[0,1]']::halfvec[], tokens) AS pair;
        """
    )


@pytest.fixture
def source(connection: Connection, db: Database, words: WordEncoder, kernel: KernelName) -> Database:
    """A database with three collections that are up to date, with each kernel."""
    fill(connection)
    db.attach("articles", ["body"], words)
    db.attach("articles", ["body"], words, name="exact", tokens="halfvec", chunking="truncate")
    db.attach("50% Off", ["The Text"], words, schema="My Shop")
    for name in COLLECTIONS:
        db.sync(name)
    return db


@pytest.fixture
def dump(source: Database, url: str, server_program: Tool, tmp_path: Path) -> Callable[[], Path]:
    def write() -> Path:
        path = tmp_path / "database.dump"
        server_program("pg_dump", "--format=custom", f"--file={path}", url)
        return path

    return write


@pytest.fixture
def restored(bare_url: str) -> Iterator[Database]:
    with pgencoder.connect(bare_url) as database:
        yield database


@pytest.fixture
def opened(bare_url: str) -> Iterator[Connection]:
    """A connection, in autocommit, to the new database."""
    with psycopg.connect(bare_url, autocommit=True) as connection:
        yield connection


def states(db: Database) -> list[CollectionStatus]:
    # what a restore has written takes other room on the pages, and what waits has got older
    return [
        replace(
            state,
            bytes_per_passage=None,
            generations=tuple(replace(each, lag_seconds=0.0) for each in state.generations),
        )
        for state in db.status()
    ]


def python_answers(db: Database, words: WordEncoder) -> list[list[Hit]]:
    answers = []
    for name in COLLECTIONS:
        for query in QUERIES:
            answers.append(db.search(name, query, k=5, encoder=words))
            answers.append(db.search(name, query, k=5, group="document", stage="exhaustive", encoder=words))
    table = db.table("articles")
    answers.append(db.search("articles", "red", k=5, filter=table.c.lang == "en", encoder=words))
    return answers


def sql_answers(url: str, words: WordEncoder) -> list[list[tuple[object, ...]]]:
    answers = []
    with psycopg.connect(url, autocommit=True) as connection:
        register(connection)
        for name in COLLECTIONS:
            for query in QUERIES:
                encoding = words.encode_query(query)
                call = SQL_SEARCH.format(
                    sql.Identifier("pgencoder", f"{name}_search"),
                    sql.Placeholder("dense"),
                    sql.Placeholder("tokens"),
                    sql.Placeholder("group"),
                    sql.Placeholder("filter"),
                )
                arguments = {
                    "dense": Halfvec(normalize(encoding.dense)),
                    "tokens": HalfvecArray(normalize(encoding.tokens)),
                    "group": "document" if name == "exact" else "passage",
                    "filter": None if name == "50% Off" else "lang = 'de'",
                }
                # a % in a collection's name is not a placeholder
                text = call.as_string(connection).replace("50% Off", "50%% Off")
                answers.append(connection.execute(text.encode(), arguments).fetchall())
    return answers


def write_to_everything(connection: Connection) -> None:
    connection.execute(
        """
        INSERT INTO articles VALUES (901, 'en', 'unheard of'), (902, 'en', NULL);
        UPDATE articles SET body = 'changed ' || body WHERE id % 7 = 0;
        DELETE FROM articles WHERE id % 9 = 0;
        UPDATE articles SET id = id + 1000 WHERE id IN (5, 10);
        COPY articles (id, body) FROM PROGRAM 'echo 903,copied' (FORMAT csv);
        INSERT INTO "My Shop"."50% Off" VALUES ('c', 'small', 'a new one');
        INSERT INTO "My Shop".small VALUES ('d', 'small', 'by its partition');
        UPDATE "My Shop"."50% Off" SET size = 'so so' WHERE passage = 'a';
        """
    )


def check_everything(connection: Connection, db: Database, words: WordEncoder) -> list[int]:
    for name in COLLECTIONS:
        db.sync(name, encoder=words)
    return [check(connection, db, name, words) for name in COLLECTIONS]


def test_a_restored_database_answers_the_same(
    source: Database,
    connection: Connection,
    url: str,
    dump: Callable[[], Path],
    bare_url: str,
    restored: Database,
    opened: Connection,
    words: WordEncoder,
    server_program: Tool,
    kernel: KernelName,
) -> None:
    use_maxsim(connection)
    server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", dump())
    assert restored.kernel().name == kernel
    assert states(restored) == states(source)
    assert catalog(bare_url) == catalog(url)
    answers = python_answers(source, words)
    assert all(len(hits) == 5 for hits in answers[:8])
    assert python_answers(restored, words) == answers
    assert sql_answers(bare_url, words) == sql_answers(url, words)
    for own in ("SELECT array_agg(notes ORDER BY id)::text FROM notes", "SELECT array_agg(pairs)::text FROM pairs"):
        assert value(opened, own) == value(connection, own)


def test_what_is_written_to_a_restored_database_is_encoded(
    dump: Callable[[], Path],
    bare_url: str,
    restored: Database,
    opened: Connection,
    connection: Connection,
    words: WordEncoder,
    server_program: Tool,
) -> None:
    server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", dump())
    words.encoded.clear()
    for name in COLLECTIONS:
        # neither queued anew nor indexed again
        report = restored.sync(name, encoder=words)
        assert (report.rows, report.deleted, report.index_built) == (0, 0, False)
    assert words.encoded == []
    write_to_everything(opened)
    # 80 rows, 8 deleted, and 901 and 903; 902 has nothing to encode
    assert check_everything(opened, restored, words) == [74, 74, 4]
    assert [hit.key for hit in restored.search("articles", "unheard of", k=1)] == [901]
    opened.execute("TRUNCATE articles")
    assert restored.search("articles", "unheard of") == []
    assert check_everything(opened, restored, words) == [0, 0, 4]
    # the database it came from saw none of it
    assert value(connection, "SELECT count(*) FROM articles") == 80
    assert value(connection, "SELECT count(*) FROM pgencoder.articles_1") == 80


def test_what_was_queued_at_the_dump_is_encoded_after_the_restore(
    source: Database,
    dump: Callable[[], Path],
    connection: Connection,
    bare_url: str,
    restored: Database,
    opened: Connection,
    words: WordEncoder,
    server_program: Tool,
) -> None:
    write_to_everything(connection)
    queued = {state.name: state.queued for state in source.status()}
    assert all(queued.values())
    server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", dump())
    assert {state.name: state.queued for state in restored.status()} == queued
    # a change of a row that is queued already replaces what is queued
    opened.execute("UPDATE articles SET body = 'once more' WHERE id IN (7, 901)")
    assert check_everything(opened, restored, words) == [74, 74, 4]
    assert check_everything(connection, source, words) == [74, 74, 4]


def test_changes_keep_their_order_after_a_restore(
    dump: Callable[[], Path], connection: Connection, bare_url: str, opened: Connection, server_program: Tool
) -> None:
    write_to_everything(connection)
    server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", dump())
    newest = "SELECT max(seq) FROM pgencoder.articles_1_queue"
    before = value(opened, newest)
    assert before == value(connection, newest)
    opened.execute("UPDATE articles SET body = 'last' WHERE id = 1")
    after = value(opened, "SELECT seq FROM pgencoder.articles_1_queue WHERE id = 1")
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after > before


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([["--jobs=2"]], id="parallel"),
        pytest.param([["--section=pre-data"], ["--section=data"], ["--section=post-data"]], id="sections"),
        # with its triggers on, the rows of the source would be queued while the dump brings its own queue
        pytest.param([["--schema-only"], ["--data-only", "--disable-triggers"]], id="schema, then data"),
        pytest.param(
            [["--schema-only"], ["--data-only", "--disable-triggers", "--jobs=2"]], id="schema, then data in parallel"
        ),
    ],
)
def test_a_restore_in_parts(
    source: Database,
    dump: Callable[[], Path],
    connection: Connection,
    url: str,
    bare_url: str,
    restored: Database,
    opened: Connection,
    words: WordEncoder,
    server_program: Tool,
    steps: list[list[str]],
) -> None:
    connection.execute("UPDATE articles SET body = 'changed ' || body WHERE id % 7 = 0")
    path = dump()
    for step in steps:
        server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", *step, path)
    assert states(restored) == states(source)
    assert python_answers(restored, words) == python_answers(source, words)
    assert sql_answers(bare_url, words) == sql_answers(url, words)
    write_to_everything(opened)
    assert check_everything(opened, restored, words) == [74, 74, 4]


@pytest.fixture
def owner(connection: Connection, bare_url: str) -> Iterator[str]:
    """The URL of the new database for a role that may create in it, but is no superuser; pgvector is there."""
    new = sql.Identifier(str(sa.make_url(bare_url).database))
    connection.execute("DROP ROLE IF EXISTS dump_owner; CREATE ROLE dump_owner LOGIN")
    connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO dump_owner").format(new))
    with psycopg.connect(bare_url, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION vector; GRANT CREATE ON SCHEMA public TO dump_owner")
    yield sa.make_url(bare_url).set(username="dump_owner").render_as_string(hide_password=False)
    with psycopg.connect(bare_url, autocommit=True) as admin:
        admin.execute("DROP OWNED BY dump_owner CASCADE")
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM dump_owner; DROP ROLE dump_owner").format(new))


@pytest.mark.parametrize("as_owner", [True, False], ids=["logged in", "by a superuser for it"])
def test_a_restore_by_another_role(
    source: Database,
    dump: Callable[[], Path],
    url: str,
    bare_url: str,
    owner: str,
    words: WordEncoder,
    server_program: Tool,
    kernel: KernelName,
    as_owner: bool,
) -> None:
    who = [f"--dbname={owner}"] if as_owner else [f"--dbname={bare_url}", "--role=dump_owner"]
    # without comments, because that of pgvector is not this role's to make
    complaints = server_program("pg_restore", "--no-owner", "--no-comments", *who, dump(), may_fail=True)
    errors = [line for line in complaints.splitlines() if "ERROR:" in line]
    # Before anything has loaded pgvector's library its settings are nobody's, and only a superuser may name them in a
    # function; a migration makes the search functions again.
    assert len(errors) <= len(COLLECTIONS)
    assert all('permission denied to set parameter "hnsw.' in error for error in errors), complaints
    with pgencoder.connect(owner) as restored:
        if errors:
            restored.migrate()
        assert restored.kernel().name == kernel
        assert states(restored) == states(source)
        assert python_answers(restored, words) == python_answers(source, words)
        assert sql_answers(owner, words) == sql_answers(url, words)
        with psycopg.connect(bare_url, autocommit=True) as admin:
            # the triggers run as the new owner, whoever writes
            write_to_everything(admin)
            assert check_everything(admin, restored, words) == [74, 74, 4]
