"""What a worker says of itself, and of rows that fail, can be anything, and hides nothing of what others say."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from pgencoder import Database
from tests.connections import Connection
from tests.encoder import WordEncoder

PASSAGES = "docs_1"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.integers().map(lambda n: 10**400 * n)
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just(PASSAGES), inner, max_size=3),
    max_leaves=6,
)

TIMES = ("infinity", "-infinity", "4000-01-01 BC", "20000-01-01")
ROWS: list[dict[str, Any]] = [
    *(
        {"rates": rates}
        for rates in ('{"docs_1": "x"}', "[1]", "null", '"docs_1"', "3", '{"docs_1": 1e400}', '{"docs_1": -5}')
    ),
    *({name: time} for name in ("last_seen", "started_at") for time in TIMES),
    {"problem": "x" * 5_000_000},
    {"host": "y" * 1_000_000, "device": "z" * 1_000_000},
    {"host": "", "device": "", "problem": ""},
    {"models": [None, "a", None]},
    {"models": [["a", "b"], ["c", "d"]]},
    {"models": ["m"] * 10_000},
    {"models": []},
    {"pid": -(2**31), "rows": -(2**63), "passages": 2**63 - 1},
]


@pytest.fixture
def docs(db: Database, connection: Connection, words: WordEncoder) -> Database:
    """A collection with a row that failed, and a worker that is as it should be."""
    connection.execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'word'), (2, 'bad')"
    )
    db.attach("docs", ["body"], words)
    connection.execute("UPDATE pgencoder.docs_1_queue SET last_error = 'bad', run_after = 'infinity' WHERE id = 2")
    add_worker(connection, rates=Jsonb({PASSAGES: 2.5, "others_1": 1}))
    return db


def add_worker(connection: Connection, **columns: Any) -> None:
    columns = {"host": "here", "pid": 1, **columns}
    names, values = (
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    connection.execute(
        sql.SQL("INSERT INTO pgencoder.worker (id, {}) VALUES (gen_random_uuid(), {})").format(names, values),
        list(columns.values()),
    )


def check(db: Database, workers: int) -> None:
    """The state can be read, shown as JSON, and has what the good worker says."""
    (state,) = db.status()
    assert state.active.rows_per_second is not None
    assert 2.5 <= state.active.rows_per_second < math.inf
    assert (state.queued, state.active.failed, len(db.failed())) == (1, 1, 1)
    assert state.active.lag_seconds is not None
    assert 0 <= state.active.lag_seconds < math.inf
    found = db.workers()
    assert len(found) == workers
    assert {each.rows_per_second for each in found} >= {3.5}
    for each in found:
        json.dumps([each.rows_per_second, each.models, each.problem, each.host, each.device], allow_nan=False)
        assert len("".join([*each.models, each.problem or "", each.host, each.device or ""])) < 100_000
        assert each.started_at.year >= 1970
        assert each.last_seen.year >= 1970


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(rates=anything)
def test_rates_of_any_kind(docs: Database, connection: Connection, rates: Any) -> None:
    with docs.connection() as session:
        session.execute("DELETE FROM pgencoder.worker WHERE host = 'bad'")
    add_worker(connection, host="bad", rates=Jsonb(rates))
    check(docs, 2)


def test_rows_that_are_not_as_they_should_be(docs: Database, connection: Connection) -> None:
    for columns in ROWS:
        connection.execute("DELETE FROM pgencoder.worker WHERE NOT rates @> '{\"others_1\": 1}'")
        add_worker(connection, **columns)
        check(docs, 2)


def test_times_and_errors_in_a_queue(docs: Database, connection: Connection) -> None:
    """A worker may change the queue too."""
    connection.execute("UPDATE pgencoder.docs_1_queue SET last_error = repeat('x', 5000000) WHERE id = 2")
    for time in TIMES:
        connection.execute(
            "UPDATE pgencoder.docs_1_queue SET changed_at = %s, run_after = %s WHERE id = 2", [time, time]
        )
        (state,) = docs.status()
        assert state.active.lag_seconds is not None
        assert 0 <= state.active.lag_seconds < math.inf
        (failed,) = docs.failed()
        assert len(failed.error) == 10_000
