"""A key that changes its type keeps its vectors; a database in which much is gone can be used, migrated and emptied."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import errors as pg

import pgencoder
from pgencoder import Database
from pgencoder.errors import CollectionExists, HasDependents, InvalidSource, NotMigrated, PgencoderError
from pgencoder.schema import roles
from tests.commands import Tool
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.snapshots import catalog

KEYS = {
    "int to bigint": ("int", "bigint", "id::int", "id: integer to bigint", "9000000000"),
    "smallint to int": ("smallint", "int", "id::int", "id: smallint to integer", "70000"),
    "bigint to int": ("bigint", "int", "id::int", "id: bigint to integer", "70000"),
    "a longer varchar": (
        "varchar(5)", "varchar(10)", "id", "id: character varying(5) to character varying(10)", "'1234567'",
    ),
    "varchar to text": ("varchar(5)", "text", "id", "id: character varying(5) to text", "'1234567'"),
    "another collation": ("text", 'text COLLATE "C"', "id", 'id: text to text COLLATE pg_catalog."C"', "'B'"),
    "text to uuid": (
        "text", "uuid", "md5(id)", "id: text to uuid", "'6f9619ff-8b86-d011-b42d-00cf4fc964ff'",
    ),
    "int to numeric": ("int", "numeric(12, 2)", "id", "id: integer to numeric(12,2)", "1.5"),
    "enum to text": ("mood", "text", "id", "id: public.mood to text", "'none'"),
    "a domain": ("int", "positive", "id", None, "77"),
}  # fmt: skip


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_changes_its_type_keeps_its_vectors(
    connection: Connection, db: Database, words: WordEncoder, kind: str, index: bool
) -> None:
    before, after, _, said, new = KEYS[kind]
    connection.execute("CREATE TYPE mood AS ENUM ('1', '2', '3'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    values = "md5(i::text)" if after == "uuid" else f"i::text::{before}"
    connection.execute(f"CREATE TABLE docs (id {before} PRIMARY KEY, body text)".encode())
    connection.execute(f"INSERT INTO docs SELECT {values}, 'number ' || i FROM generate_series(1, 3) AS i".encode())
    db.attach("docs", ["body"], words)
    db.sync("docs")
    db.reencode("docs", WordEncoder(name="next"))
    db.sync("docs")
    if not index:
        connection.execute("DROP INDEX pgencoder.docs_1_dense")
    connection.execute(f"ALTER TABLE docs ALTER id TYPE {after} USING id::text::{after.split(' COLLATE')[0]}".encode())
    words.encoded.clear()
    if said is None:
        assert db.status()[0].problem is None
        assert db.repair("docs").keys == ()
    else:
        assert "run: pgencoder repair docs" in (db.status()[0].problem or "")
        # writes go on as long as values fit
        if kind not in ("text to uuid", "enum to text"):
            connection.execute("UPDATE docs SET body = 'changed' WHERE body = 'number 2'")
        report = db.repair("docs")
        assert (report.keys, report.removed, report.found.queued) == ((said,), 0, 0)
    assert words.encoded == []
    assert db.status()[0].problem is None
    indexed = value(connection, "SELECT to_regclass('pgencoder.docs_1_dense') IS NOT NULL")
    assert indexed is index
    connection.execute(f"INSERT INTO docs VALUES ({new}, 'a new one')".encode())
    db.sync("docs")
    assert len(words.encoded) <= 2
    assert check(connection, db, "docs", words) == 4
    assert db.search("docs", "a new one", k=1)[0].content == "a new one"
    assert db.activate("docs").number == 2
    assert db.search("docs", "a new one", k=1)[0].content == "a new one"
    assert db.repair("docs").problem is None


def test_a_composite_key_changes_one_of_its_types(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE docs (lang text, passage int, body text, PRIMARY KEY (passage, lang));"
        "INSERT INTO docs SELECT 'en', i, 'number ' || i FROM generate_series(1, 5) AS i"
    )
    db.attach("docs", ["body"], words)
    db.sync("docs")
    connection.execute("ALTER TABLE docs ALTER passage TYPE bigint")
    words.encoded.clear()
    assert db.repair("docs").keys == ("passage: integer to bigint",)
    connection.execute("INSERT INTO docs VALUES ('de', 9000000000, 'mehr')")
    db.sync("docs")
    assert words.encoded == ["mehr"]
    assert check(connection, db, "docs", words) == 6


def test_keys_that_do_not_fit_are_named_and_nothing_is_lost(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute(
        "CREATE TABLE docs (id text PRIMARY KEY, body text); INSERT INTO docs VALUES ('x', 'a'), ('2', 'b')"
    )
    db.attach("docs", ["body"], words)
    db.sync("docs")
    connection.execute("ALTER TABLE docs DISABLE TRIGGER USER; DELETE FROM docs WHERE id = 'x'")
    connection.execute("ALTER TABLE docs ENABLE TRIGGER USER; ALTER TABLE docs ALTER id TYPE int USING id::int")
    with pytest.raises(InvalidSource, match="do not fit integer") as raised:
        db.repair("docs")
    assert "\n" not in str(raised.value)
    assert value(connection, "SELECT count(*) FROM pgencoder.docs_1") == 2


def test_a_view_of_a_user_is_named_and_kept(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'a')")
    db.attach("docs", ["body"], words)
    db.sync("docs")
    connection.execute(
        "CREATE VIEW mine AS SELECT id, content FROM pgencoder.docs_passages; ALTER TABLE docs ALTER id TYPE bigint"
    )
    with pytest.raises(HasDependents, match=r"view mine depends on view pgencoder\.docs_passages"):
        db.repair("docs")
    connection.execute("DROP VIEW mine")
    assert db.repair("docs").keys == ("id: integer to bigint",)


def test_what_users_have_made_on_the_search_function_stays(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'a')")
    db.attach("docs", ["body"], words)
    db.sync("docs")
    granted = "SELECT proacl::text FROM pg_proc WHERE proname = 'docs_search'"
    connection.execute(
        "REVOKE ALL ON FUNCTION pgencoder.docs_search FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION pgencoder.docs_search TO pg_monitor WITH GRANT OPTION;"
        "CREATE VIEW mine AS SELECT id FROM pgencoder.docs_search(NULL, NULL)"
    )
    before = value(connection, granted)
    db.repair("docs")
    assert value(connection, granted) == before
    connection.execute("ALTER TABLE docs ALTER id TYPE bigint")
    for call in (db.repair, db.detach):
        with pytest.raises(HasDependents, match=r"view .*mine depends on function pgencoder\.docs_search.*: drop that"):
            call("docs")
    connection.execute("DROP VIEW mine")
    assert db.repair("docs").keys == ("id: integer to bigint",)
    assert value(connection, granted) == before
    assert db.search("docs", "a")[0].key == 1
    db.detach("docs")


def test_a_value_that_does_not_fit_yet_is_refused_until_the_repair(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'a')")
    db.attach("docs", ["body"], words)
    connection.execute("ALTER TABLE docs ALTER id TYPE bigint; INSERT INTO docs VALUES (2, 'b')")
    with pytest.raises(pg.NumericValueOutOfRange):
        connection.execute("INSERT INTO docs VALUES (9000000000, 'c')")
    db.repair("docs")
    connection.execute("INSERT INTO docs VALUES (9000000000, 'c')")
    db.sync("docs")
    assert check(connection, db, "docs", words) == 3


def test_what_is_of_another_table_is_gone_before_anyone_finds_it(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text);"
        "INSERT INTO docs SELECT i, 'old ' || i FROM generate_series(1, 50) AS i"
    )
    db.attach("docs", ["body"], words)
    db.sync("docs")
    connection.execute(
        "ALTER TABLE docs RENAME TO before; CREATE TABLE docs (id int PRIMARY KEY, body text);"
        "INSERT INTO docs SELECT i, CASE WHEN i <= 10 THEN 'old ' ELSE 'new ' END || i FROM generate_series(1, 30) AS i"
    )
    words.encoded.clear()
    report = db.repair("docs")
    assert (report.removed, report.found.stale, report.found.orphaned) == (40, 20, 20)
    assert {hit.key for hit in db.search("docs", "old", k=50)} == set(range(1, 11))
    db.sync("docs")
    assert len(words.encoded) == 20
    assert check(connection, db, "docs", words) == 30
    # the old table has no part in it any more
    connection.execute("UPDATE before SET body = 'of no interest'")
    assert value(connection, "SELECT count(*) FROM pgencoder.docs_1_queue") == 0


def test_a_table_that_is_replaced_during_a_repair_is_not_taken(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    table = "CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'a')"
    connection.execute(table.encode())
    db.attach("docs", ["body"], words)
    db.sync("docs")
    replaced: list[object] = []

    def replace(*_: object) -> None:
        if not replaced:
            replaced.append(connection.execute(f"ALTER TABLE docs RENAME TO gone; {table}".encode()))

    with pytest.raises(InvalidSource, match="during the repair; run it again: pgencoder repair docs"):
        db.repair("docs", progress=replace)
    assert replaced
    assert "is not the one that was attached" in (db.status()[0].problem or "")
    db.repair("docs")
    db.sync("docs")
    assert check(connection, db, "docs", words) == 1


@pytest.mark.parametrize("clean", [True, False])
def test_a_table_restored_alone_is_the_same_after_a_repair(
    connection: Connection, db: Database, words: WordEncoder, server_program: Tool, tmp_path: Any, url: str, clean: bool
) -> None:
    connection.execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text);"
        "INSERT INTO docs SELECT i, 'number ' || i FROM generate_series(1, 20) AS i"
    )
    db.attach("docs", ["body"], words)
    db.sync("docs")
    path = tmp_path / "docs.dump"
    server_program("pg_dump", "--format=custom", "--table=docs", f"--file={path}", url)
    connection.execute("UPDATE docs SET body = 'after the dump' WHERE id = 1")
    db.sync("docs")
    connection.execute("DROP TABLE docs CASCADE" if clean else "ALTER TABLE docs RENAME TO before")
    if not clean:
        connection.execute("ALTER INDEX docs_pkey RENAME TO before_pkey")
    server_program("pg_restore", "--exit-on-error", f"--dbname={url}", path)
    assert "pgencoder repair docs" in (db.status()[0].problem or "")
    with pytest.raises(InvalidSource, match="pgencoder repair docs"):
        db.search("docs", "number")
    words.encoded.clear()
    report = db.repair("docs")
    assert (report.found.rows, report.found.stale) == (20, 1)
    db.sync("docs")
    assert words.encoded == ["number 1"]
    assert check(connection, db, "docs", words) == 20


def broken(connection: Connection, db: Database, words: WordEncoder) -> None:
    for name in "abc":
        connection.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, body text)".encode())
        connection.execute(f"INSERT INTO {name} VALUES (1, 'word')".encode())
        db.attach(name, ["body"], words)
        db.sync(name)


GONE = {
    "a table": ("DROP TABLE a CASCADE", {"a": "is gone"}),
    "two tables": ("DROP TABLE a CASCADE; ALTER TABLE b RENAME TO d", {"a": "is gone", "b": "is called public.d now"}),
    "our own tables": (
        "DROP TABLE pgencoder.a_1 CASCADE; DROP TABLE pgencoder.b_1_queue CASCADE",
        {"a": "lost its policy", "b": "lost the table b_1_queue"},
    ),
    "the schema, with pgvector": (
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        {"a": "is gone", "b": "is gone", "c": "is gone"},
    ),
    "pgvector": (
        "DROP EXTENSION vector CASCADE",
        {name: f"the column dense of {name}_1" for name in "abc"},
    ),
}


@pytest.fixture
def group_roles(connection: Connection) -> Iterator[None]:
    """Removes the group roles, which are the whole server's."""
    yield
    for role in (roles.READER, roles.WORKER):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@pytest.mark.usefixtures("group_roles")
@pytest.mark.parametrize("kind", GONE)
def test_each_step_goes_on_without_what_is_gone(
    connection: Connection, db: Database, url: str, words: WordEncoder, kind: str
) -> None:
    broken(connection, db, words)
    statements, gone = GONE[kind]
    connection.execute(statements.encode())
    without_vector = value(connection, "SELECT count(*) FROM pg_extension WHERE extname = 'vector'") == 0
    with pgencoder.connect(url) as fresh:
        if without_vector:
            connection.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
            assert all("run: pgencoder migrate" in (state.problem or "") for state in fresh.status())
            for call in (
                lambda: fresh.search("a", "word", encoder=words),
                lambda: fresh.attach("other", ["body"], words),
                lambda: fresh.repair("a"),
                lambda: fresh.sync("a", encoder=words),
            ):
                with pytest.raises(PgencoderError) as raised:
                    call()
                assert "run: pgencoder migrate" in str(raised.value)
                assert "\n" not in str(raised.value)
        for with_roles in (False, True):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fresh.migrate(roles=with_roles)
            said = " / ".join(str(each.message) for each in caught)
            for name, what in gone.items():
                assert f"collection '{name}':" in said
                assert what in said
        assert {state.name for state in fresh.status() if state.problem} == set(gone)
        for name in "abc":
            if name not in gone:
                assert [hit.key for hit in fresh.search(name, "word", encoder=words)] == [1]
        connection.execute("CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY, body text)")
        with pytest.raises(CollectionExists, match="detach it first"):
            fresh.attach("a", ["body"], words)
        connection.execute("CREATE TABLE e (id int PRIMARY KEY, body text); INSERT INTO e VALUES (1, 'new')")
        fresh.attach("e", ["body"], words)
        fresh.sync("e", encoder=words)
        assert [hit.key for hit in fresh.search("e", "new")] == [1]
        fresh.detach("a")
        fresh.attach("a", ["body"], words)
        if kind == "pgvector":
            assert fresh.repair("b").found.missing == 1
            fresh.sync("b", encoder=words)
            assert check(connection, fresh, "b", words) == 1


@pytest.mark.parametrize("kind", GONE)
@pytest.mark.parametrize("migrated", [True, False])
def test_base_removes_all_the_same(
    connection: Connection, db: Database, url: str, words: WordEncoder, kind: str, migrated: bool
) -> None:
    broken(connection, db, words)
    connection.execute(GONE[kind][0].encode())
    with pgencoder.connect(url) as fresh:
        if migrated:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fresh.migrate()
        fresh.migrate("base")
        with pytest.raises(NotMigrated):
            fresh.status()
    assert not [row for row in catalog(url) if "pgencoder" in str(row)]


def test_detach_works_without_pgvector(connection: Connection, db: Database, url: str, words: WordEncoder) -> None:
    broken(connection, db, words)
    connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with pgencoder.connect(url) as fresh:
        for name in "abc":
            fresh.detach(name)
        assert fresh.collections() == []


def test_triggers_that_run_as_a_superuser_for_another_do_not_stay(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); DROP ROLE IF EXISTS r_maker")
    db.attach("docs", ["body"], words)
    connection.execute("CREATE ROLE r_maker; ALTER TABLE docs OWNER TO r_maker")
    try:
        with pytest.warns(UserWarning, match=r"own both.*: pgencoder detach docs; its triggers ran as a"):
            db.migrate()
        assert value(connection, "SELECT to_regproc('pgencoder.docs_changed') IS NULL")
        connection.execute("INSERT INTO docs VALUES (1, 'a')")
    finally:
        connection.execute("DROP OWNED BY r_maker CASCADE; DROP ROLE r_maker")
