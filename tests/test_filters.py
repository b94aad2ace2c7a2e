"""Filters written as dicts: every condition against what Python says of the same values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.integrations.filters import DEEPEST, JSONB, MOST_CONDITIONS, condition, metadata_field
from pgencoder.integrations.refusal import refused

from .conftest import Connection

DOCUMENTS = sa.table("documents", sa.column("n"), sa.column("metadata", JSONB))
Match = Callable[[Mapping[str, Any]], list[int]]

# -- what a filter means, in Python

MISSING = object()


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
    return {
        "$gt": lambda: value > other, "$gte": lambda: value >= other,
        "$lt": lambda: value < other, "$lte": lambda: value <= other}[operator]()  # fmt: skip


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
            return there == wanted
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
    """The numbers of the rows of `documents` that pass a filter."""
    connection.execute("CREATE TABLE documents (n int, metadata jsonb)")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as searching:

        def run(filter: Mapping[str, Any]) -> list[int]:
            passed = condition(filter, metadata_field(DOCUMENTS.c.metadata))
            with refused():
                return sorted(searching.scalars(sa.select(DOCUMENTS.c.n).where(passed)))

        yield run


def fill(connection: Connection, rows: list[Any]) -> None:
    connection.execute("TRUNCATE documents")
    connection.execute(
        "INSERT INTO documents SELECT n - 1, metadata FROM unnest(%s::jsonb[]) WITH ORDINALITY AS given (metadata, n)",
        [[json.dumps(each) for each in rows]],
    )


@settings(
    max_examples=400, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(rows=st.lists(documents, min_size=5, max_size=12), asked=st.lists(filters, min_size=5, max_size=5))
def test_filters_say_what_python_says(
    connection: Connection, match: Match, rows: list[Any], asked: list[dict[str, Any]]
) -> None:
    fill(connection, rows)
    for filter in asked:
        assert match(filter) == [n for n, row in enumerate(rows) if passes(row, filter)], filter
