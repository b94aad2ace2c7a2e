"""LlamaIndex's filters: as LlamaIndex's own function says where that says something, and nested."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from pgencoder import Database
from pgencoder.integrations.filters import metadata_field
from pgencoder.integrations.llama_index.filters import OPERATORS, condition
from tests.adapters.documents import DOCUMENTS, fill
from tests.connections import Connection

# No booleans, which are numbers to Python, and no keys with dots, which are paths to us
names = st.sampled_from(["a", "b", "ab", 'it\'s "%s"'])
texts = st.one_of(st.sampled_from(["", "a", "b", "ab", "aB", "a%", "50% \\ _", "é\n"]), st.text("ab", max_size=2))
numbers = st.one_of(st.integers(-1, 3), st.sampled_from([0.5, 1.0, 1e300, 2**60]))
lists = st.one_of(st.lists(texts, max_size=3), st.lists(st.integers(-1, 3), max_size=3))
values = st.one_of(st.none(), texts, numbers, lists)
documents = st.dictionaries(names, values, max_size=3)
WANTED: dict[str, st.SearchStrategy[Any]] = {
    ">": st.one_of(numbers, texts), ">=": st.one_of(numbers, texts), "<": numbers, "<=": texts, "in": lists,
    "nin": lists, "any": lists, "all": lists, "contains": st.one_of(st.integers(-1, 3), texts), "text_match": texts,
    "text_match_insensitive": texts, "is_empty": st.none()}  # fmt: skip
tests = st.one_of(
    *(
        st.builds(MetadataFilter, key=names, operator=st.just(each),
                  value=WANTED.get(each.value, st.one_of(numbers, texts, lists)))
        for each in FilterOperator
    )
)  # fmt: skip
conditions = st.sampled_from([*FilterCondition, None])
filters = st.recursive(
    st.builds(MetadataFilters, filters=st.lists(tests, max_size=3), condition=conditions),
    lambda inner: st.builds(
        MetadataFilters, filters=st.lists(st.one_of(tests, inner), min_size=1, max_size=3), condition=conditions
    ),
    max_leaves=3,
)


def passes(document: dict[str, Any], filters: MetadataFilters) -> bool:
    """What LlamaIndex says of each test, and what follows for all of them."""
    results = [
        passes(document, each) if isinstance(each, MetadataFilters) else holds(document, each)
        for each in filters.filters
    ]
    if not results:
        return True
    match filters.condition:
        case FilterCondition.OR:
            return any(results)
        case FilterCondition.NOT:
            return not any(results)
        case _:
            return all(results)


def holds(document: dict[str, Any], test: MetadataFilter) -> bool:
    value = document.get(test.key)
    of_lists = test.operator in (FilterOperator.CONTAINS, FilterOperator.ANY, FilterOperator.ALL)
    if value is not None and of_lists and not isinstance(value, list):
        return False  # where LlamaIndex looks for a part of a text, or fails
    try:
        return bool(build_metadata_filter_fn(lambda _: document, MetadataFilters(filters=[test]))(""))
    except TypeError:
        return False  # types that cannot be compared


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(rows=st.lists(documents, min_size=5, max_size=12), asked=st.lists(filters, min_size=5, max_size=5))
def test_filters_say_what_llama_index_says(
    llama: Connection, db: Database, rows: list[dict[str, Any]], asked: list[MetadataFilters]
) -> None:
    fill(llama, rows)
    with db.engine.connect() as searching:
        for filter in asked:
            passed = condition(filter, metadata_field(DOCUMENTS.c.metadata))
            found = sorted(searching.scalars(sa.select(DOCUMENTS.c.n).where(passed)))
            assert found == [n for n, row in enumerate(rows) if passes(json.loads(json.dumps(row)), filter)], filter


@pytest.fixture
def llama(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE documents (n int, metadata jsonb)")
    return connection


def test_every_operator_is_there() -> None:
    assert OPERATORS.keys() == set(FilterOperator)
