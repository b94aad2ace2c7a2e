"""Filters written as dicts: every condition against what Python says of the same values."""

from __future__ import annotations

import json
import operator as operators
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pglast import parse_sql
from pglast.visitors import Visitor

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.integrations.filters import DEEPEST, MOST_CONDITIONS, condition, metadata_field
from pgencoder.integrations.refusal import refused
from tests.adapters.documents import DOCUMENTS, fill
from tests.connections import Connection

Match = Callable[[Mapping[str, Any]], list[int]]

# -- what a filter means, in Python

MISSING = object()
ORDER = {"$gt": operators.gt, "$gte": operators.ge, "$lt": operators.lt, "$lte": operators.le}


def kind(value: Any) -> str:
    """The type of a JSON value."""
    if value is None or isinstance(value, bool):
        return str(type(value))
    return "number" if isinstance(value, int | float) else type(value).__name__


def equal(one: Any, other: Any) -> bool:
    if kind(one) != kind(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def contains(whole: Any, part: Any) -> bool:
    if kind(whole) != kind(part):
        return False
    if isinstance(whole, dict):
        return all(name in whole and contains(whole[name], part[name]) for name in part)
    if isinstance(whole, list):
        return all(any(contains(inner, each) for inner in whole) for each in part)
    return equal(whole, part)


def member(value: Any, name: str) -> Any:
    return value.get(name, MISSING) if isinstance(value, dict) else MISSING


def found(document: Any, name: str) -> Any:
    value = member(document, name)
    if value is MISSING and "." in name:
        value = document
        for each in name.split("."):
            value = member(value, each)
    return value


def compared(operator: str, value: Any, other: Any) -> bool:
    if kind(value) != kind(other):
        return False
    return bool(ORDER[operator](value, other))


def like(value: Any, pattern: str, flags: int) -> bool:
    if not isinstance(value, str):
        return False
    signs = {"%": ".*", "_": "."}
    parts = re.findall(r"\\(.)|(.)", pattern, re.S)
    expression = "".join(re.escape(escaped) if escaped else signs.get(sign, re.escape(sign)) for escaped, sign in parts)
    return re.fullmatch(expression, value, re.S | flags) is not None


def holds(value: Any, operator: str, wanted: Any) -> bool:
    there = value is not MISSING
    match operator:
        case "$eq":
            return there and equal(value, wanted)
        case "$in":
            return there and any(equal(value, each) for each in wanted)
        case "$ne" | "$nin":
            return not holds(value, {"$ne": "$eq", "$nin": "$in"}[operator], wanted)
        case "$exists":
            return there is bool(wanted)
        case "$between":
            return compared("$gte", value, wanted[0]) and compared("$lte", value, wanted[1])
        case "$like" | "$ilike":
            return like(value, wanted, re.I if operator == "$ilike" else 0)
        case _:
            return compared(operator, value, wanted)


def held(value: Any, wanted: Any) -> bool:
    """What stands under a key."""
    if isinstance(wanted, dict) and "$" in json.dumps(wanted):
        if all(name.startswith("$") for name in wanted):
            return all(holds(value, operator, each) for operator, each in wanted.items())
        return all(held(member(value, name), each) for name, each in wanted.items())
    return value is not MISSING and contains(value, wanted)


def passes(document: Any, filter: Mapping[str, Any]) -> bool:
    for name, wanted in filter.items():
        match name:
            case "$and":
                passed = all(passes(document, each) for each in wanted)
            case "$or":
                passed = any(passes(document, each) for each in wanted)
            case "$not":
                passed = not any(passes(document, each) for each in (wanted if isinstance(wanted, list) else [wanted]))
            case _:
                passed = held(found(document, name), wanted)
        if not passed:
            return False
    return True


# -- documents and filters that have much in common

names = st.sampled_from(["a", "b", "c", "a.b", "b.a.c", 'it\'s "%s" \\', "0", "-1", ""])
texts = st.one_of(
    st.sampled_from(["", "a", "b", "ab", "aB", "B", "1", "a%", "a_b", "\\", "a\nb", "é", "z\U0001f600", "\uffff"]),
    st.sampled_from(["true", "null", "2024-01-31", "2024-02-01T12:00:00", "%(x)s", ":x", "{}", "'; --"]),
    st.text("abé%_\\", max_size=3),
)
numbers = st.one_of(st.integers(-2, 3), st.sampled_from([0.5, 1.0, -0.0, 1e300, -1e-300, 2**70, 2**53 + 1, 0.1]))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=2)),
    max_leaves=4,
)
documents = st.dictionaries(names, values, max_size=4)
patterns = st.text("abB%_\\é\n", max_size=4).filter(lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0)
ordered = st.one_of(numbers, texts)
tests = st.one_of(
    *(st.fixed_dictionaries({name: values}) for name in ("$eq", "$ne")),
    *(st.fixed_dictionaries({name: ordered}) for name in ("$gt", "$gte", "$lt", "$lte")),
    st.fixed_dictionaries({"$gte": ordered, "$lt": ordered}),
    *(st.fixed_dictionaries({name: st.lists(scalars, max_size=4)}) for name in ("$in", "$nin")),
    *(st.fixed_dictionaries({"$between": st.lists(each, min_size=2, max_size=2)}) for each in (numbers, texts)),
    *(st.fixed_dictionaries({name: patterns}) for name in ("$like", "$ilike")),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)
fields = st.dictionaries(
    names, st.one_of(values, tests, st.dictionaries(names, tests, min_size=1, max_size=2)), max_size=2
)
filters = st.recursive(
    fields,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$not": st.one_of(inner, st.lists(inner, min_size=1, max_size=2))}),
        *(st.fixed_dictionaries({name: st.lists(inner, min_size=1, max_size=3)}) for name in ("$and", "$or")),
        st.builds(lambda one, name, others: {**one, name: others},
                  fields, st.sampled_from(["$and", "$or", "$not"]), st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture
def match(connection: Connection, db: Database) -> Iterator[Match]:
    """The numbers of the rows of `documents` that pass a filter, which a filter and its opposite share out."""
    connection.execute("CREATE TABLE documents (n int, metadata jsonb)")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as searching:

        def run(filter: Mapping[str, Any]) -> list[int]:
            passed = condition(filter, metadata_field(DOCUMENTS.c.metadata))
            with refused():
                return sorted(searching.scalars(sa.select(DOCUMENTS.c.n).where(passed)))

        yield run


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(rows=st.lists(documents, min_size=5, max_size=12), asked=st.lists(filters, min_size=5, max_size=5))
def test_filters_say_what_python_says(
    connection: Connection, match: Match, rows: list[Any], asked: list[dict[str, Any]]
) -> None:
    fill(connection, rows)
    for filter in asked:
        assert match(filter) == [n for n, row in enumerate(rows) if passes(row, filter)], filter


# -- what is decided, one by one

ROWS: list[Any] = [
    {}, {"a": None}, {"a": 1}, {"a": "1"}, {"a": True}, {"a": [1, "x"]}, {"a": {"b": 1, "c": 2}}, {"a.b": 1},
    None]  # fmt: skip


DECISIONS: list[tuple[Any, Any]] = [
    ({}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    # a missing key is not equal, not among, not greater: and so it passes what negates that
    ({"a": {"$ne": 1}}, [0, 1, 3, 4, 5, 6, 7, 8]),
    ({"a": {"$nin": [1, "1"]}}, [0, 1, 4, 5, 6, 7, 8]),
    ({"$not": {"a": 1}}, [0, 1, 3, 4, 5, 6, 7, 8]),
    ({"$not": {"a": {"$gt": 0}}}, [0, 1, 3, 4, 5, 6, 7, 8]),
    ({"$not": {"a": {"$like": "%"}}}, [0, 1, 2, 4, 5, 6, 7, 8]),
    ({"$not": [{"a": 1}, {"a": "1"}]}, [0, 1, 4, 5, 6, 7, 8]),
    ({"$not": {"$not": {"a": {"$ne": 1}}}}, [0, 1, 3, 4, 5, 6, 7, 8]),
    # None is a value that is there
    ({"a": None}, [1]),
    ({"a": {"$eq": None}}, [1]),
    ({"a": {"$in": [None, 1]}}, [1, 2]),
    ({"a": {"$nin": [None]}}, [0, 2, 3, 4, 5, 6, 7, 8]),
    ({"a": {"$exists": True}}, [1, 2, 3, 4, 5, 6]),
    ({"a": {"$exists": False}}, [0, 7, 8]),
    ({"a": {"$in": []}}, []),
    ({"a": {"$nin": []}}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    # types do not mix
    ({"a": 1.0}, [2]),
    ({"a": True}, [4]),
    ({"a": {"$in": [1]}}, [2]),
    ({"a": {"$gte": "1"}}, [3]),
    ({"a": {"$between": [0, 5]}}, [2]),
    ({"a": {"$like": "1"}}, [3]),
    # a list and a dict are contained, or with $eq equal
    ({"a": ["x"]}, [5]),
    ({"a": []}, [5]),
    ({"a": {"$eq": ["x"]}}, []),
    ({"a": {"$eq": [1, "x"]}}, [5]),
    ({"a": {"b": 1}}, [6]),
    ({"a": {"$eq": {"b": 1}}}, []),
    ({"a": {"$eq": {"c": 2, "b": 1.0}}}, [6]),
    ({"a": {"b": {"$gte": 1}, "c": 2}}, [6]),
    ({"a": {"0": 1}}, []),
    # a key with dots is that key, or a path
    ({"a.b": 1}, [6, 7]),
    ({"a.b": {"$exists": True}}, [6, 7]),
    ({"a.b": {"$lt": 1}}, []),
    # what stands in one dict must all hold
    ({"a": {"$gt": 0, "$lt": 1}}, []),
    ({"a.b": {"$gt": 0}, "a": {"$exists": True}}, [6]),
    ({"$or": [{"a": 1}, {"a": "1"}], "a": {"$ne": 1}}, [3]),
    ({"$and": [{"$or": [{"a": 1}, {"a": "1"}]}, {"$not": {"a": 1}}]}, [3]),
    ({"a": {"$in": (1, "1")}, "$not": [{"a": {"$between": (1, 2)}}]}, [3]),
]  # fmt: skip


def test_decisions(connection: Connection, match: Match) -> None:
    fill(connection, ROWS)
    connection.execute("UPDATE documents SET metadata = NULL WHERE metadata = 'null'")
    for filter, expected in DECISIONS:
        assert match(filter) == expected, filter


WRONG: list[Any] = [
    {"$eq": 1}, {"$gte": 2022}, {"$exists": True}, {"$nor": [{"a": 1}]}, {"id": 2, "$name": "x"}, {"a": {"$foo": 1}},
    {"a": {"$and": [{"$gt": 1}]}}, {"a": {"$or": []}}, {"a": {"$not": {"$gt": 1}}}, {"a": {"$GT": 1}}, {"a": {"$": 1}},
    {"$and": {}}, {"$and": []}, {"$or": {"a": 1}}, {"$or": ["a"]}, {"$and": [[]]}, {"$not": True}, {"$not": []},
    {"$not": [1]},
    {"a": {"$gt": 1, "b": 2}}, {"a": {"b": {"$gt": 1, "c": 1}}}, {"a": [{"$gt": 1}]}, {"a": {"b": [{"c": {"$eq": 1}}]}},
    {"a": {"$in": "x"}}, {"a": {"$in": 1}}, {"a": {"$in": {"b": 1}}}, {"a": {"$nin": [[1]]}},
    {"a": {"$in": [{"b": 1}]}},
    {"a": {"$between": [1]}}, {"a": {"$between": [1, "x"]}}, {"a": {"$between": [1, 2, 3]}}, {"a": {"$between": "ab"}},
    {"a": {"$between": [None, 1]}}, {"a": {"$gt": None}}, {"a": {"$lt": True}}, {"a": {"$gte": [1]}},
    {"a": {"$lte": {"b": 1}}},
    {"a": {"$like": 1}}, {"a": {"$like": None}}, {"a": {"$ilike": ["a"]}}, {"a": {"$like": "a\\"}},
    {"a": {"$exists": 1}},
    {"a": {"$exists": None}}, {1: "a"}, {"a": {2: 3}}, {"a": {"$eq": {None: 1}}}, {"$or": [{"a": 1}, {"$foo": 1}]},
]  # fmt: skip


@pytest.mark.parametrize("filter", WRONG, ids=str)
def test_what_is_wrong_is_said_in_one_line(filter: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^filter: .*\$eq, \$ne.*\$exists; beside keys: \$and, \$or, \$not$"):
        condition(filter, metadata_field(DOCUMENTS.c.metadata))


def nested(levels: int) -> dict[str, Any]:
    filter: dict[str, Any] = {"a": 1}
    for _ in range(levels):
        filter = {"$not": filter}
    return filter


def test_filters_of_any_size(connection: Connection, match: Match) -> None:
    fill(connection, ROWS)
    assert match({"a": {"$in": list(range(100_000))}}) == [2]
    assert match({"$or": [{"a": i} for i in range(MOST_CONDITIONS // 2)]}) == [2]
    assert match(nested(DEEPEST - 2)) == [2]
    around: dict[str, Any] = {}
    around["a"] = around
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    large: list[dict[str, Any]] = [
        nested(DEEPEST), nested(5000), {"$and": [{"a": 1}] * MOST_CONDITIONS}, {str(i): 1 for i in range(70_000)},
        {".".join("a" * 1000): 1}, around, {"a": {"$eq": deep}}, {"a": deep}]  # fmt: skip
    for filter in large:
        with pytest.raises(InvalidRequest, match=r"^filter has more than 30 levels or 2000 conditions"):
            match(filter)


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_what_postgres_does_not_take(connection: Connection, match: Match, text: str) -> None:
    fill(connection, ROWS)
    filters: list[dict[str, Any]] = [
        {"a": text}, {text: 1}, {"a": {"$gt": text}}, {"a": {"$like": text}}, {"a": {"$in": [text]}}]  # fmt: skip
    for filter in filters:
        with pytest.raises(InvalidRequest, match="the database refuses this"):
            match(filter)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object(), b"", {1}, 10**5000], ids=lambda each: str(type(each))
)
def test_what_json_does_not_take(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="filter must be a dict of JSON values"):
        condition({"a": value}, metadata_field(DOCUMENTS.c.metadata))


def test_an_index_of_the_metadata_is_used(connection: Connection, db: Database) -> None:
    connection.execute("CREATE TABLE documents (n int, metadata jsonb)")
    connection.execute("CREATE INDEX ON documents USING gin (metadata)")
    passed = condition({"lang": "en", "year": {"$gte": 2020}}, metadata_field(DOCUMENTS.c.metadata))
    compiled = sa.select(DOCUMENTS.c.n).where(passed).compile(dialect=db.engine.dialect)
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(f"EXPLAIN {compiled}".encode(), compiled.params).fetchall()
    assert any("Index Cond" in line for (line,) in plan)


def test_all_names_are_qualified(db: Database) -> None:
    found = []

    class Names(Visitor):  # type: ignore[misc,unused-ignore]
        def visit_FuncCall(self, _: Any, node: Any) -> None:
            found.append([name.sval for name in node.funcname])

        def visit_A_Expr(self, _: Any, node: Any) -> None:
            found.append([name.sval for name in node.name])

        def visit_TypeName(self, _: Any, node: Any) -> None:
            found.append([name.sval for name in node.names])

    for test in [
        {"$in": [1]},
        {"$between": [1, 2]},
        {"$between": ["a", "b"]},
        {"$ilike": "a"},
        {"$exists": True},
        {"$ne": 1},
    ]:
        filter = {"$or": [{"a": 1}, {"a.b": test}, {"$not": {"a": {"b": test}}}]}
        passed = condition(filter, metadata_field(DOCUMENTS.c.metadata))
        text = str(sa.select(DOCUMENTS.c.n).where(passed).compile(dialect=db.engine.dialect))
        Names()(parse_sql(re.sub(r"%\(\w+\)s", "NULL", text)))
    assert len(found) > 100
    assert {(len(names), names[0]) for names in found} == {(2, "pg_catalog")}
