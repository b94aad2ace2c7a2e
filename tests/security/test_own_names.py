"""Key columns may be called like anything that our SQL names itself."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgencoder import Database
from pgencoder.search.ranking import ranking_of
from pgencoder.statements import resources
from pgencoder.vectors import ensure_registered
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]


def own_words() -> list[str]:
    """All words of the SQL that a collection is made of and searched by."""
    files = [*(resources() / "sql" / "queries").glob("*.sql"), *(resources() / "sql" / "internal").glob("*.sql")]
    words = {word for path in files for word in re.findall(r"\b[a-z_][a-z_0-9]*\b", path.read_text(encoding="utf-8"))}
    system = {"sentence", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
    return sorted(words - system)


WORDS = own_words()
GROUPS = [WORDS[start : start + 31] for start in range(0, len(WORDS), 31)]


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_a_key_may_be_called_like_what_we_name(
    connection: Connection, db: Database, words: WordEncoder, number: int
) -> None:
    names = [sql.Identifier(name) for name in GROUPS[number]]
    columns = sql.SQL(", ").join(sql.SQL("{} int").format(name) for name in names)
    key = sql.SQL(", ").join(names)
    connection.execute(sql.SQL("CREATE TABLE own (sentence text, {}, PRIMARY KEY ({}))").format(columns, key))
    values = range(len(names))
    for body in ("red green", "blue black"):
        row = sql.SQL(", ").join(map(sql.Literal, values))
        connection.execute(sql.SQL("INSERT INTO own VALUES ({}, {})").format(sql.Literal(body), row))
        values = range(1, len(names) + 1)
    db.attach("own", ["sentence"], words, lexical="simple")
    assert db.sync("own").passages == 2
    first = db.search("own", "red green", 1)
    assert [hit.key for hit in first] == [tuple(range(len(names)))]
    assert db.search("own", "black", 1, group="document", fusion="lexical")[0].content == "blue black"
    assert db.explain("own", "red", 1 if len(names) == 1 else tuple(range(len(names)))).words
    asked = db.encode_query(db.collection("own"), "black")
    measures = ranking_of("maxsim").measures.values()
    query = [measure.value(asked) for measure in measures]
    options = "query_text => 'black', k => 1, boost => '0', filter => 'true'"
    statement = f"SELECT content FROM pgencoder.own_search($1, $2, {options})"
    ensure_registered(connection)
    assert psycopg.RawCursor(connection).execute(statement, query).fetchall() == [("blue black",)]
    db.reencode("own", WordEncoder(name="second"))
    db.sync("own")
    db.activate("own")
    assert len(db.search("own", "red", 2)) == 2
    db.detach("own")
