"""What `alembic upgrade --sql` prints, run by psql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, mapped_column

from pgencoder import Database, Dims
from pgencoder.errors import InvalidRequest
from pgencoder.sqlalchemy import EncodedColumns
from tests.adapters.migrations import ATTACH, DETACH, TABLE, Project, definitions, objects, psql
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check


def test_offline_sql_gives_the_same_objects(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder, url: str
) -> None:
    """And searches and later generations work."""
    second = WordEncoder(Dims(16, 8), "second")
    reencode = (
        'op.reencode("articles", {}, tokens="bit", chunking="default", table="articles",'
        ' columns=["title", "body"], key={{"id": "bigint"}})'
    )
    psycopg_project.revision(TABLE + ATTACH, DETACH + '\nop.drop_table("articles")')
    psycopg_project.revision(reencode.format("SECOND"), reencode.format("WORDS"))
    before = objects(connection)
    psycopg_project.upgrade("r1")
    attached = definitions(connection)
    psycopg_project.upgrade("r2")
    reencoded = definitions(connection)
    psycopg_project.downgrade("base")
    connection.execute("DROP TABLE alembic_version")
    psycopg_project.script(revisions="base:r1")
    psql(url, psycopg_project.output)
    assert definitions(connection) == attached
    db.sync("articles", encoder=words)
    assert check(connection, db, "articles", words) == 5
    psycopg_project.script(revisions="r1:r2")
    psql(url, psycopg_project.output)
    connection.execute("UPDATE articles SET body = 'changed' WHERE id = 2")
    db.sync("articles", encoder=words)
    db.sync("articles", encoder=second)
    db.activate("articles")
    assert check(connection, db, "articles", second) == 5
    assert db.search("articles", "title 3", k=1, encoder=second)[0].key == 3
    psycopg_project.script(downgrade=True, revisions="r2:r1")
    assert "-- Then activate it, and run this script again: pgencoder activate" in psycopg_project.output.read_text()
    with pytest.raises(AssertionError, match="generation 1 of 'articles' is there already: pgencoder activate"):
        psql(url, psycopg_project.output)
    psycopg_project.script(downgrade=True, revisions="r1:base")
    connection.execute("DELETE FROM alembic_version")
    connection.execute("INSERT INTO alembic_version VALUES ('r1')")
    psql(url, psycopg_project.output)
    connection.execute("DROP TABLE alembic_version")
    assert objects(connection) == before
    psycopg_project.script()
    psql(url, psycopg_project.output)
    assert definitions(connection)["functions"] == reencoded["functions"]
    assert definitions(connection) == reencoded
    psycopg_project.script(downgrade=True, revisions="r2:r1")
    psql(url, psycopg_project.output)
    assert definitions(connection) == attached


HOSTILE = ["Robert'); drop table \"x", "100% {sure} :name", "back\\slash\u00fcn"]


@pytest.mark.parametrize("name", HOSTILE)
def test_offline_sql_quotes_any_name(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder, url: str, name: str
) -> None:
    column, collection = f"c {name}", f"n {name}"
    make = sql.SQL('CREATE TABLE {} ({} text COLLATE "C", content int, {} text, PRIMARY KEY ({}, content))').format(
        *map(sql.Identifier, (name, name, column, name))
    )
    connection.execute(make)
    connection.execute(sql.SQL("INSERT INTO {} VALUES ('k', 1, 'some words')").format(sql.Identifier(name)))
    key = {name: 'text COLLATE pg_catalog."C"', "content": "integer"}
    psycopg_project.revision(f"op.attach_encoding({name!r}, [{column!r}], WORDS, name={collection!r}, key={key!r})")
    psycopg_project.revision(
        f"op.reencode({collection!r}, SECOND, tokens='halfvec', chunking='truncate', table={name!r},"
        f" columns=[{column!r}], key={key!r})"
    )
    psycopg_project.script()
    psql(url, psycopg_project.output)
    db.sync(collection, encoder=words)
    assert check(connection, db, collection, words) == 1
    second = WordEncoder(Dims(16, 8), "second")
    db.sync(collection, encoder=second)
    db.activate(collection)
    assert check(connection, db, collection, second) == 1
    offline = definitions(connection)
    db.rollback(collection)
    db.drop(collection)
    db.detach(collection)
    connection.execute("DELETE FROM alembic_version")
    psycopg_project.upgrade()
    for encoder in (words, second):
        db.sync(collection, encoder=encoder)
    db.activate(collection)
    online = definitions(connection)
    for each in ("functions", "columns", "triggers", "policies", "views"):
        assert online[each] == offline[each]


KEYS: list[Any] = [
    sa.Integer, sa.BigInteger, sa.SmallInteger, sa.Text, sa.String, sa.String(5), sa.CHAR(3), sa.NCHAR(3),
    sa.Uuid, sa.Date, sa.DateTime, sa.DateTime(timezone=True), sa.Time, sa.Interval, postgresql.INTERVAL(precision=3),
    sa.Numeric, sa.Numeric(10), sa.Numeric(20, 5), sa.DECIMAL(10, 2), sa.Float, sa.Float(24), sa.Float(53), sa.Double,
    sa.REAL, sa.Boolean, sa.LargeBinary, sa.LargeBinary(10), sa.Text(collation="C"), postgresql.INET, postgresql.JSONB,
    sa.ARRAY(sa.Integer), postgresql.TIMESTAMP(precision=3), postgresql.BIT(5), sa.Enum("red", name="color"),
    sa.Enum("a", name="letter", native_enum=False), sa.Enum("so so", name="mood", schema="My Types")]  # fmt: skip


def test_offline_sql_of_autogenerate_takes_any_type_of_key(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder, url: str
) -> None:
    """And what is made of it is in the words of the server."""

    class Base(DeclarativeBase):
        pass

    connection.execute('CREATE SCHEMA "My Types"')
    kept = [
        type(
            f"Thing{n}",
            (Base,),
            {
                "__tablename__": f"things_{n}",
                "__encoding__": EncodedColumns(["body"], words),
                "id": mapped_column(kind, primary_key=True, autoincrement=False),
                "body": mapped_column(sa.Text),
            },
        )
        for n, kind in enumerate(KEYS)
    ]
    psycopg_project.autogenerate(Base.metadata)
    connection.execute("DROP TABLE alembic_version")
    psycopg_project.script()
    psql(url, psycopg_project.output)
    offline = definitions(connection)
    for n in range(len(kept)):
        db.detach(f"things_{n}")
    for n in range(len(kept)):
        db.attach(f"things_{n}", ["body"], words)
    connection.execute("UPDATE pgencoder.generation SET queued_at = NULL, queued_to = NULL")
    assert definitions(connection) == offline


def test_offline_sql_takes_types_and_names_as_people_write_them(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder, url: str
) -> None:
    connection.execute("CREATE TYPE color AS ENUM ('red'); CREATE DOMAIN \"it's\" AS text")
    connection.execute('CREATE TABLE things (a int, b color, c varchar(3) COLLATE "C", d text, PRIMARY KEY (a, b, c))')
    connection.execute("""CREATE TABLE odd (a "it's" PRIMARY KEY, d text)""")
    key = """{"a": "int4", "b": "public . Color", "c": 'VARCHAR( 3 ) COLLATE "C"'}"""
    psycopg_project.revision(
        f'op.attach_encoding("things", ["d"], WORDS, key={key})\n'
        f'op.reencode("things", SECOND, tokens="bit", chunking="default", table="things", columns=["d"], key={key})'
    )
    psycopg_project.script()
    psql(url, psycopg_project.output)
    types = [each.type for each in db.collection("things").key]
    assert types == ["integer", "public.color", "character varying(3)"]
    connection.execute("INSERT INTO things VALUES (1, 'red', 'x', 'some words')")
    db.sync("things", encoder=words)
    assert check(connection, db, "things", words) == 1
    psycopg_project.revision("""op.attach_encoding("odd", ["d"], WORDS, key={"a": '"it\\'s"'})""")
    psycopg_project.script(revisions="r1:r2")
    psql(url, psycopg_project.output)
    connection.execute("INSERT INTO odd VALUES ('x', 'some words')")
    db.sync("odd", encoder=words)
    assert check(connection, db, "odd", words) == 1


def test_offline_sql_checks_what_it_was_told(
    psycopg_project: Project, connection: Connection, url: str, tmp_path: Path
) -> None:
    psycopg_project.revision(TABLE + ATTACH.replace("bigint", "integer"))
    psycopg_project.script()
    with pytest.raises(AssertionError, match=r"the key of .* is \(id bigint\), not \(id integer\)"):
        psql(url, psycopg_project.output)
    other = Project(tmp_path / "other", url, options={"pgencoder_vector_schema": "extensions"})
    other.revision(TABLE + ATTACH)
    assert '"extensions".halfvec(32)' in other.script()
    with pytest.raises(AssertionError, match="the extension vector is not in the schema"):
        psql(url, other.output)


@pytest.mark.parametrize(
    ("upgrade", "message"),
    [
        ('op.attach_encoding("articles", ["body"], WORDS)', "needs key= for --sql"),
        ('op.reencode("articles", WORDS)', "needs table=, columns= and key= for --sql"),
        (
            'op.reencode("articles", WORDS, table="articles", columns=["body"], key={"id": "int"})',
            "needs tokens= and chunking= for --sql",
        ),
    ],
)
def test_offline_sql_needs_to_be_told(psycopg_project: Project, upgrade: str, message: str) -> None:
    psycopg_project.revision(upgrade)
    with pytest.raises(InvalidRequest, match=message):
        psycopg_project.script()


def test_offline_sql_attaches_partitions_and_grants_roles(
    psycopg_project: Project, connection: Connection, db: Database, url: str, request: pytest.FixtureRequest
) -> None:
    db.migrate(roles=True)
    request.addfinalizer(lambda: connection.execute(  # roles are the whole server's
        "DROP OWNED BY pgencoder_reader, pgencoder_worker; DROP ROLE pgencoder_reader, pgencoder_worker"))  # fmt: skip
    connection.execute("CREATE TABLE events (id int PRIMARY KEY, body text) PARTITION BY RANGE (id)")
    connection.execute('CREATE TABLE "Old ones" PARTITION OF events FOR VALUES FROM (0) TO (10)')
    attach = 'op.attach_encoding("events", ["body"], WORDS, key={"id": "integer"})'
    psycopg_project.revision(attach, 'op.detach_encoding("events")')
    psycopg_project.upgrade()
    expected = definitions(connection)
    assert any("Old ones" in table for table, _ in expected["triggers"])
    assert any("pgencoder_worker" in (acl or "") for _, _, acl, _, _ in expected["functions"])
    psycopg_project.downgrade("base")
    psycopg_project.script(revisions="base:head")
    connection.execute("DROP TABLE alembic_version")
    psql(url, psycopg_project.output)
    assert definitions(connection) == expected
