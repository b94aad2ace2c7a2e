"""Keys and columns with values that Python has no object for, or that are not equal to themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgencoder import Database, Encoding
from pgencoder.db.values import AsText
from pgencoder.errors import InvalidRequest
from pgencoder.search import rows
from tests.connections import Connection
from tests.encoder import WordEncoder

VALUES: dict[str, list[str]] = {
    "date": ["infinity", "-infinity", "0044-03-15 BC", "4714-11-24 BC", "9999-12-31", "10000-01-01", "5874897-12-31"],
    "timestamp": ["infinity", "-infinity", "0044-03-15 12:00 BC", "0001-01-01", "9999-12-31 23:59:59.999999",
                  "294276-12-31"],
    "timestamptz": ["infinity", "-infinity", "0044-03-15 12:00 BC", "0001-01-01 00:00+14", "9999-12-31 23:59-15",
                    "294276-01-01"],
    "time": ["00:00", "24:00", "23:59:59.999999"],
    "timetz": ["24:00+00", "12:00+15:59", "12:00:00-05:30:15", "00:00+00"],
    "interval": ["1 mon", "1 year", "178000000 years", "-178000000 years", "1 day", "-2 days 03:04:05.000006",
                 "99999999 days"],
    "numeric": ["NaN", "Infinity", "-Infinity", "1.10", "0", "1e500", "-1e-500", "9" * 4400],
    "float8": ["NaN", "Infinity", "-Infinity", "1e308", "5e-324", "0.1", "0"],
    "daterange": ["(,)", "empty", "[2020-01-01,infinity)", "[0044-03-15 BC,2020-01-01)", "[2020-01-01,2020-02-01)"],
    "tsrange": ["[-infinity,infinity]", "[2020-01-01,10000-01-01)", "(,2020-01-01]"],
    "tstzrange": ["[2020-01-01,infinity)", "[0044-03-15 BC,2020-01-01)", "[2020-01-01,2020-02-01)", "empty", "(,)"],
    "numrange": ["[1,NaN]", "[-Infinity,0)", "[1.1,2.2]", "empty"],
    "int4range": ["[1,5)", "(,)", "[-2147483648,2147483647)"],
    "int8range": ["[1,5)", "[9223372036854775000,)"],
    "tstzmultirange": ["{}", "{[2020-01-01,2020-02-01),[2021-01-01,infinity)}", "{[2020-01-01,2020-02-01)}"],
    "int4multirange": ["{[1,3),[5,8)}", "{}"],
    "date[]": ["{2020-01-01,infinity}", "{}", "{{2020-01-01},{10000-01-01}}", "{2020-01-01,2021-01-01}",
               "{infinity,NULL}"],
    "tstzrange[]": ['{"[2020-01-01,infinity)"}', '{"[2020-01-01,2020-02-01)"}'],
    "int4[]": ["[0:1]={1,2}", "{1,2}", "{}", "{1,NULL}"],
    "text[]": ['{"[0:1]={a}","b,c"}', "[2:2]={a}", "{a}"],
    "float8[]": ["{NaN,1}", "{Infinity}"],
    "numeric[]": ["{NaN,1}"],
    "interval[]": ["{1 mon,1 day}", "{1 day}"],
    "jsonb": ["1e400", '{"a": [1, "2"]}', '"text"', "[1, 2]", "null", "true", "9" * 4400, '["x]=y"]',
              "[" * 300 + "]" * 300],
    "inet": ["10.0.0.1/8", "::1", "255.255.255.255"],
    "text": ["infinity", "", "NaN", "a'b\\c \U0001f600", "%s $1 {x}"],
}  # fmt: skip
# which Python has, or has as text
OTHERS: dict[str, list[str]] = {
    "float4": ["NaN", "Infinity", "1e-45", "0.1", "3.4028235e38"],
    "int8": ["-9223372036854775808", "9223372036854775807", "0"],
    "cidr": ["10.0.0.0/8", "::/0"],
    "uuid": ["00000000-0000-0000-0000-000000000000"],
    "bytea": [r"\x00ff", r"\x"],
    "bit(3)": ["101", "000"],
    "bool": ["t", "f"],
    "char(5)": ["ab", "x"],
    "macaddr": ["08:00:2b:01:02:03"],
    "money": ["1.50", "-92233720368547758.08"],
    "oid": ["4294967295"],
    "pg_lsn": ["FFFFFFFF/FFFFFFFF"],
    '"char"': ["x"],
    "name": ["n"],
}  # fmt: skip


class Failing(WordEncoder):
    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        raise RuntimeError("no")


def fill(connection: Connection, name: str, types: dict[str, list[str]], numbered: bool) -> None:
    """A table whose rows have these values, each in a column of the key and in another."""
    keys = [f"k{i}" for i, _ in enumerate(types)]
    columns = "".join(f"k{i} {type_}, extra{i} {type_}, " for i, type_ in enumerate(types))
    key = ", ".join(["nr", *keys] if numbered else keys)
    connection.execute(f"CREATE TABLE {name} (nr int, {columns} body text, PRIMARY KEY ({key}))".encode())
    for number in range(max(map(len, types.values()))):
        row = [values[number % len(values)] for values in types.values() for _ in range(2)]
        listed = sql.SQL(", ").join(map(sql.Literal, [number, *row, "alpha beta"]))
        connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), listed))


def check(connection: Connection, db: Database, name: str) -> None:
    """Every row is found, and its key is accepted back wherever a key is taken."""
    collection = db.collection(name)
    (count,) = connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() or (0,)
    hits = db.search(name, "alpha", k=100)
    assert len(hits) == count
    for hit in hits:
        found = db.explain(name, "alpha", hit.key)
        assert found.content == "alpha beta"
        assert found.score == pytest.approx(hit.score, abs=1e-5)
    assert hits[0].explain().content == "alpha beta"
    assert db.context(name, "alpha", k=100).text == "[1] alpha beta"
    assert len(list(db.similar_pairs(name, 0.9))) == count * (count - 1) // 2
    keys = [hit.key for hit in hits]
    columns = [column.source for column in collection.key]
    with db.connection() as other:
        assert rows.pieces(other, collection, [(key, (0, 5)) for key in keys]) == ["alpha"] * count
        read = rows.columns(other, collection, keys, ["nr", *columns, "extra0"])
    assert sorted(row["nr"] for row in read if row is not None) == list(range(count))
    for key, row in zip(keys, read, strict=True):
        # what came as text is what Postgres writes, and what did not is what the row has
        assert row is not None
        for part, column in zip(key if isinstance(key, tuple) else (key,), columns, strict=True):
            assert repr(part) == repr(row[column])
            if isinstance(part, AsText):
                text = connection.execute(f"SELECT {column}::text FROM {name} WHERE nr = {row['nr']}".encode())
                assert text.fetchone() == (part,)
    report = db.reconcile(name)
    assert (report.rows, report.queued) == (count, 0)


@pytest.mark.parametrize("type_", VALUES)
def test_every_value_of_a_key_is_found_and_accepted_back(
    connection: Connection, db: Database, words: WordEncoder, type_: str
) -> None:
    for name, numbered in (("single", False), ("composite", True)):
        fill(connection, name, {type_: VALUES[type_]}, numbered)
        db.attach(name, ["body"], words, lexical="none")
        assert db.sync(name).failed == 0
        check(connection, db, name)
    db.status()


def test_a_key_of_many_types(connection: Connection, db: Database, words: WordEncoder) -> None:
    fill(connection, "t", OTHERS, numbered=True)
    db.attach("t", ["body"], words, lexical="none")
    db.sync("t")
    check(connection, db, "t")


@pytest.mark.parametrize(
    "type_", ["date", "timestamptz", "interval", "numeric", "float8", "tstzrange", "date[]", "jsonb"]
)
def test_a_row_of_every_key_that_fails_is_shown(connection: Connection, db: Database, type_: str) -> None:
    count = len(VALUES[type_])
    fill(connection, "t", {type_: VALUES[type_]}, numbered=True)
    db.attach("t", ["body"], Failing())
    assert db.sync("t").failed == count
    assert {row.key["nr"] for row in db.failed("t")} == set(range(count))
    connection.execute("UPDATE t SET body = 'other'")
    assert db.sync("t", encoder=WordEncoder()).rows == count


@pytest.mark.parametrize("type_", ["timestamptz", "numeric", "date[]", "tstzrange", "jsonb", "interval"])
def test_retrievers_carry_them(connection: Connection, db: Database, words: WordEncoder, type_: str) -> None:
    from pgencoder.integrations.langchain import PgencoderRetriever
    from pgencoder.integrations.llama_index import PgencoderRetriever as LlamaRetriever

    fill(connection, "t", {type_: VALUES[type_]}, numbered=False)
    db.attach("t", ["body"], words, lexical="none")
    db.sync("t")
    documents = PgencoderRetriever(db=db, collection="t", k=100, metadata_columns=["extra0"]).invoke("alpha")
    nodes = LlamaRetriever(db, "t", k=100, metadata_columns=["extra0"]).retrieve("alpha")
    for found in ([each.metadata for each in documents], [each.node.metadata for each in nodes]):
        assert len(found) == len(VALUES[type_])
        json.dumps(found, allow_nan=False)
    assert len({each.id for each in documents}) == len(VALUES[type_])


def test_python_has_what_it_can(connection: Connection, db: Database) -> None:
    with db.connection() as other:
        row = other.execute(
            "SELECT '2020-01-01'::date, 'infinity'::date, '1 day'::interval, '1 mon'::interval, '{1,2}'::int[],"
            " '[2:3]={1,2}'::int[], '{\"a\": 1}'::jsonb, '[2020-01-01,infinity)'::daterange"
        ).fetchone()
    assert row is not None
    kinds = [type(value).__name__ for value in row]
    assert kinds == ["date", "AsText", "timedelta", "AsText", "list", "AsText", "dict", "AsText"]
    assert [str(value) for value in row if isinstance(value, AsText)] == [
        "infinity", "1 mon", "[2:3]={1,2}", "[2020-01-01,infinity)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "key"),
    [("int", 7.5), ("int", float("nan")), ("int", "x"), ("date", "no date"), ("int", object()), ("int", (1, 2)),
     ("int", "1\0"), ("date", 5), ("jsonb", object()), ("tstzrange", "[1"), ("int[]", {"a": 1})],
)  # fmt: skip
def test_what_is_no_key_is_refused_in_one_line(
    connection: Connection, db: Database, words: WordEncoder, type_: str, key: Any
) -> None:
    connection.execute(f"CREATE TABLE t (k {type_} PRIMARY KEY, body text)".encode())
    db.attach("t", ["body"], words, lexical="none")
    with pytest.raises(InvalidRequest, match="key") as raised:
        db.explain("t", "alpha", key)
    assert "\n" not in str(raised.value)


def test_other_connections_are_left_alone(url: str, db: Database) -> None:
    with db.connection(), psycopg.connect(url) as own, pytest.raises(psycopg.DataError):
        own.execute("SELECT 'infinity'::date").fetchone()
