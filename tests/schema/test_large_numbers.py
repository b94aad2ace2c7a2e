"""Searches for as many results, of as many candidates, as an integer can say: the answer is what there is."""

from __future__ import annotations

import itertools
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database, Dims
from pgencoder.errors import InvalidRequest
from pgencoder.representations import Lexical
from pgencoder.search.ranking import BY_TERMS
from pgencoder.types import GROUPS, STAGES
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection
from tests.encoder import WordEncoder

MOST = 2**31 - 1
NUMBERS = [(1, MOST), (10, 300_000_000), (MOST, 1), (MOST, MOST), (300_000_000, 10)]
TOO_LARGE = [2**31, 2**63, 10**30]
WORDS = WordEncoder(Dims(32, 16, 1_000))


@pytest.fixture
def items(db: Database, connection: Connection) -> Database:
    connection.execute(
        "CREATE TABLE items (id int PRIMARY KEY, body text);"
        "INSERT INTO items VALUES (1, 'red'), (2, 'red green'), (3, 'blue')"
    )
    db.attach("items", ["body"], WORDS, representations=[Lexical()])
    db.sync("items")
    return db


@pytest.mark.parametrize("group", GROUPS)
def test_in_python(items: Database, group: Any) -> None:
    filter = sa.text("id < 3")
    for (k, candidates), stage in itertools.product(NUMBERS, STAGES):
        numbers = {"k": k, "candidates": candidates, "group": group, "stage": stage}
        there = [1, 2] if stage in BY_TERMS else [1, 2, 3]  # words are not in all of them
        assert [hit.key for hit in items.search("items", "red", **numbers)] == there[: min(k, 3)]
        assert [hit.key for hit in items.search("items", "red", **numbers, filter=filter)] == [1, 2][: min(k, 2)]


@pytest.mark.parametrize("group", GROUPS)
def test_in_sql(items: Database, connection: Connection, group: str) -> None:
    register(connection)
    encoding = WORDS.encode_query("red")
    query = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))]
    statement = "SELECT id FROM pgencoder.items_search($1, $2, k => $3, candidates => $4, filter => $5, group_by => $6)"
    for (k, candidates), filter in itertools.product(NUMBERS, (None, "id < 3")):
        found = psycopg.RawCursor(connection).execute(statement, [*query, k, candidates, filter, group]).fetchall()
        assert [key for (key,) in found] == ([1, 2] if filter else [1, 2, 3])[: min(k, 3)]


@pytest.mark.parametrize("group", GROUPS)
def test_in_a_select(items: Database, group: Any) -> None:
    engine = sa.create_engine(items.engine.url)
    with engine.connect() as connection:
        for (k, candidates), stage in itertools.product(NUMBERS, STAGES):
            search = pgencoder.select("items", "red", k=k, candidates=candidates, group=group, stage=stage, db=items)
            there = [1, 2] if stage in BY_TERMS else [1, 2, 3]
            assert [row[0] for row in connection.execute(search)] == there[: min(k, 3)]
        found = pgencoder.recall("items", "red", candidates=MOST, db=items)
        assert len(connection.execute(sa.select(found)).all()) == 3
    engine.dispose()


@pytest.mark.parametrize("number", TOO_LARGE)
def test_larger_ones_are_refused_in_one_line(items: Database, number: int) -> None:
    for call in (
        lambda: items.search("items", "red", k=number),
        lambda: items.search("items", "red", candidates=number),
        lambda: items.context("items", "red", k=number),
        lambda: items.failed("items", limit=number),
        lambda: pgencoder.select("items", "red", k=number, db=items),
        lambda: pgencoder.recall("items", "red", candidates=number, db=items),
    ):
        with pytest.raises(InvalidRequest, match="must be an integer of at least 1 that fits 32 bits") as raised:
            call()
        assert "\n" not in str(raised.value)
