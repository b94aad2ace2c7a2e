"""No text in SQL stands for another: names may be whatever templates, drivers or bodies could take for something."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pgencoder import Database, Dims
from pgencoder.errors import CollectionExists
from pgencoder.statements import Late, Quoted, assembled, raw
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.snapshots import OBJECTS

NAMES = [
    "/* keys */",
    "/* queues */",
    "/* relation */",
    "pgencoder_filter_goes_here",
    "{k}{keys}{score}{source}",
    "{}{{}}{0}",
    "%s%%%(k)s%1$I%",
    "$1$2",
    "$pgencoder$pgencoder",
    ":x::y",
    "a\"b'c\\d",
    "a\n-- b\r\n*/ c",
    "'); DROP TABLE x; --",
    "1000000000",
    "wanted",
    "queues",
    "source",
]


def quoted(*names: str) -> sql.Identifier:
    return sql.Identifier(*names)


def found_in_sql(connection: Connection, name: str, encoder: WordEncoder, filter: str, group: str) -> list[Any]:
    register(connection)
    encoding = encoder.encode_query("some words")
    statement = sql.SQL("SELECT * FROM {}($1, $2, filter => $3, group_by => $4)").format(
        quoted("pgencoder", f"{name}_search")
    )
    vectors = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))]
    rows = psycopg.RawCursor(connection).execute(statement.as_bytes(connection), [*vectors, filter, group])
    return [row[0] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_life_under_any_name(connection: Connection, db: Database, words: WordEncoder, name: str) -> None:
    """Schema, table, key, column, policy's helper and collection are all called so."""
    second = WordEncoder(Dims(16, 8), "second")
    before = sorted(connection.execute(OBJECTS).fetchall())
    table, key, text = quoted(name, name), quoted(name), quoted(f"{name} 2")
    connection.execute(
        sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {1} ({0} text PRIMARY KEY, {2} text)").format(key, table, text)
    )
    insert = sql.SQL("INSERT INTO {} VALUES ({}, {})")
    for row in (name, f"{name}1", f"{name}2"):
        connection.execute(insert.format(table, sql.Literal(row), sql.Literal(f"some words {row}")))
    assert db.attach(name, [name, f"{name} 2"], words, schema=name, name=name) == 3
    connection.execute(sql.SQL("UPDATE {} SET {} = 'other words' WHERE {} = {}").format(table, text, key, f"{name}1"))
    connection.execute(sql.SQL("DELETE FROM {} WHERE {} = {}").format(table, key, f"{name}2"))
    connection.execute(insert.format(table, sql.Literal(f"{name}3"), sql.Literal("some more words")))
    db.sync(name, encoder=words)
    assert check(connection, db, name, words) == 3
    searched(connection, db, words, name)
    assert db.reencode(name, second) == 3
    connection.execute(sql.SQL("UPDATE {} SET {} = 'some words again'").format(table, text))
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(sql.SQL("UPDATE {} SET {} = 'some words at last'").format(table, text))
    for encoder in (words, second):
        db.sync(name, encoder=encoder)
    db.activate(name)
    assert check(connection, db, name, second) == 3
    searched(connection, db, second, name)
    db.rollback(name)
    db.drop(name)
    assert db.reconcile(name).rows == 3
    connection.execute(sql.SQL("TRUNCATE {}").format(table))
    db.sync(name, encoder=words)
    assert check(connection, db, name, words) == 0
    db.migrate()
    db.detach(name)
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(key))
    assert sorted(connection.execute(OBJECTS).fetchall()) == before


def searched(connection: Connection, db: Database, encoder: WordEncoder, name: str) -> None:
    """Every way to search, with the filter that the key is the collection's own name."""
    this = sa.column(name) == name
    assert [hit.key for hit in db.search(name, "some words", filter=this, encoder=encoder)] == [name]
    assert [hit.key for hit in db.search(name, "words", filter=this, group="document", encoder=encoder)] == [name]
    assert db.context(name, "some words", filter=this, encoder=encoder).citations[0].key == name
    assert db.explain(name, "some words", name, encoder=encoder).score > 0
    assert list(db.similar_pairs(name, threshold=-0.99))
    filter = sql.SQL("{} = {} -- {}").format(quoted(name), name, sql.SQL(name.replace("\n", " ").replace("\r", " ")))
    for group in ("passage", "document"):
        assert found_in_sql(connection, name, encoder, filter.as_string(), group) == [name]


# Collections whose objects would be, or would look like, those of the schema and of each other
BROTHERS = [
    "read",
    "query",
    "maxsim",
    "a",
    "a_1",
    "a_1_1",
    "a_",
    "late",
    "collection",
    "worker",
    "status",
]


def test_detach_removes_what_is_its_own(connection: Connection, db: Database, words: WordEncoder) -> None:
    states = []
    for name in BROTHERS:
        states.append(sorted(connection.execute(OBJECTS).fetchall()))
        connection.execute(sql.SQL("CREATE TABLE {} (id int PRIMARY KEY, body text)").format(quoted(f"t {name}")))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (1, 'some words')").format(quoted(f"t {name}")))
        db.attach(f"t {name}", ["body"], words, name=name)
        db.sync(name, encoder=words)
    for name in reversed(BROTHERS):
        for other in BROTHERS[: BROTHERS.index(name) + 1]:
            assert len(db.search(other, "some words", encoder=words)) == 1
        # what looks like its functions and is none: other arguments
        for suffix in ("active", "search", "read", "scan", "visible", "changed"):
            connection.execute(
                sql.SQL("CREATE FUNCTION {}(date) RETURNS int RETURN 1").format(quoted("pgencoder", f"{name}_{suffix}"))
            )
        db.migrate()
        db.detach(name)
        connection.execute(sql.SQL("DROP TABLE {}").format(quoted(f"t {name}")))
        for suffix in ("active", "search", "read", "scan", "visible", "changed"):
            connection.execute(sql.SQL("DROP FUNCTION {}(date)").format(quoted("pgencoder", f"{name}_{suffix}")))
        assert sorted(connection.execute(OBJECTS).fetchall()) == states.pop()


def test_a_name_that_the_schema_has_is_refused(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    before = sorted(connection.execute(OBJECTS).fetchall())
    with pytest.raises(CollectionExists, match=r"would make pgencoder._check_active, .*; give another name") as raised:
        db.attach("t", ["body"], words, name="_check")
    assert "\n" not in str(raised.value)
    # whatever is there, for generations to come too
    for made, drop in {
        "VIEW pgencoder.mine_passages AS SELECT 1 AS x": "VIEW pgencoder.mine_passages",
        "TABLE pgencoder.mine_17 ()": "TABLE pgencoder.mine_17",
        "SEQUENCE pgencoder.mine_2_queue": "SEQUENCE pgencoder.mine_2_queue",
        "FUNCTION pgencoder.mine_3_write(int) RETURNS int RETURN 1": "FUNCTION pgencoder.mine_3_write",
        "FUNCTION pgencoder.mine_scan() RETURNS int RETURN 1": "FUNCTION pgencoder.mine_scan",
        "TYPE pgencoder.mine_1_dense AS ENUM ()": "TYPE pgencoder.mine_1_dense",
    }.items():
        connection.execute(f"CREATE {made}".encode())
        with pytest.raises(CollectionExists, match=r"would make pgencoder[.]mine_"):
            db.attach("t", ["body"], words, name="mine")
        connection.execute(f"DROP {drop}".encode())
    assert sorted(connection.execute(OBJECTS).fetchall()) == before
    db.attach("t", ["body"], words, name="mine")
    connection.execute("CREATE FUNCTION pgencoder.mine_2_build() RETURNS int RETURN 1")
    with pytest.raises(CollectionExists, match=r"would make pgencoder[.]mine_2_build"):
        db.reencode("mine", words)


def test_every_name_that_attach_makes_can_be_taken(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    names = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relkind <> 'i'"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace"
    )
    before = set(connection.execute(names))
    db.attach("t", ["body"], words, name="mine")
    made = sorted(name for (name,) in set(connection.execute(names)) - before)
    assert {"mine_1", "mine_1_queue", "mine_search"} < set(made)
    db.detach("mine")
    for name in made:
        connection.execute(sql.SQL("CREATE TYPE {} AS ENUM ()").format(quoted("pgencoder", name)))
        with pytest.raises(CollectionExists, match=f"would make pgencoder[.]{name}, "):
            db.attach("t", ["body"], words, name="mine")
        connection.execute(sql.SQL("DROP TYPE {}").format(quoted("pgencoder", name)))


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
PARTS = st.recursive(
    TEXT.map(raw) | st.sampled_from([Late("one"), Late("other")]),
    lambda inner: inner.map(Quoted) | st.lists(inner, max_size=4).map(sql.Composed),
    max_leaves=8,
)


def at_once(part: sql.Composable, known: dict[str, str]) -> str:
    """The text of a part, with what is late known from the start."""
    if isinstance(part, Late):
        return known[part._obj]
    if isinstance(part, Quoted):
        return Quoted(raw(at_once(part._obj, known))).as_string()
    if isinstance(part, sql.Composed):
        return "".join(at_once(each, known) for each in part)
    return part.as_string()


@given(PARTS, TEXT, TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_assembled_there_is_what_would_be_written_here(
    connection: Connection, part: sql.Composable, one: str, other: str
) -> None:
    statement = sql.SQL("SELECT ({})::text FROM (SELECT {}::text AS one, {}::text AS other) AS known").format(
        assembled(part), one, other
    )
    assert connection.execute(statement).fetchone() == (at_once(part, {"one": one, "other": other}),)


def test_the_search_function_finds_names_where_nobody_else_makes_them(
    connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE SCHEMA mine; CREATE TABLE mine.t (id int PRIMARY KEY, b text)")
    connection.execute("INSERT INTO mine.t VALUES (1, 'some words'); CREATE ROLE names_other")
    connection.execute("CREATE FUNCTION mine.plain(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    db.attach("t", ["b"], words, schema="mine")
    db.sync("t", encoder=words)
    path = "SELECT array_to_string(proconfig, '; ') FROM pg_proc WHERE proname = 't_search'"
    try:
        assert "search_path=pg_catalog, mine, pg_temp" in str(value(connection, path))
        assert found_in_sql(connection, "t", words, "plain(id)", "passage") == [1]
        for grantee in ("names_other", "PUBLIC"):
            connection.execute(f"GRANT CREATE ON SCHEMA mine TO {grantee}".encode())
            db.migrate()
            assert "search_path=pg_catalog, pg_temp" in str(value(connection, path))
            with pytest.raises(psycopg.errors.UndefinedFunction):
                found_in_sql(connection, "t", words, "plain(id)", "passage")
            assert found_in_sql(connection, "t", words, "mine.plain(id)", "passage") == [1]
            connection.execute(f"REVOKE CREATE ON SCHEMA mine FROM {grantee}".encode())
        db.migrate()
        assert "search_path=pg_catalog, mine, pg_temp" in str(value(connection, path))
    finally:
        connection.execute("DROP OWNED BY names_other CASCADE; DROP ROLE names_other")
