"""Turns LlamaIndex's `MetadataFilters` into conditions.

The filters mean the same as in LlamaIndex's `build_metadata_filter_fn`, with these differences. Filters may be nested.
Values that cannot be compared, such as a text and a number, do not match, and that is not an error. `contains`, `any`
and `all` match only values that are lists, and `in` and `nin` take only lists. A key with dots is that key or else a
path, as in `pgencoder.integrations.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from sqlalchemy.sql.elements import ColumnElement

from pgencoder.errors import InvalidRequest
from pgencoder.integrations.filters import DEEPEST, MOST_CONDITIONS, ORDERS, Field, Fields, is_ordered, too_large

Make = Callable[[Field, Any], ColumnElement[bool]]


def condition(filters: MetadataFilters, field: Fields) -> ColumnElement[bool]:
    """Return the condition for filters; `field` finds the fields by name. Raises InvalidRequest for a wrong filter."""
    if _size(filters) > MOST_CONDITIONS:
        raise too_large()
    return _combined(filters, field)


def _size(filters: MetadataFilters, depth: int = 1) -> int:
    if depth > DEEPEST:
        raise too_large()
    return sum(
        _size(each, depth + 1)
        if isinstance(each, MetadataFilters)
        else len(each.value)
        if each.operator == FilterOperator.ANY and isinstance(each.value, list)
        else 1
        for each in filters.filters
    )


def _combined(filters: MetadataFilters, field: Fields) -> ColumnElement[bool]:
    parts = [
        _combined(each, field) if isinstance(each, MetadataFilters) else _test(each, field) for each in filters.filters
    ]
    if not parts:
        return sa.true()
    match filters.condition:
        case FilterCondition.OR:
            return sa.or_(*parts)
        case FilterCondition.NOT:
            return sa.not_(sa.or_(*parts))
        case _:
            return sa.and_(*parts)


def _test(filter: MetadataFilter, field: Fields) -> ColumnElement[bool]:
    wanted, fits, make = OPERATORS[filter.operator]
    if not fits(filter.value):
        raise InvalidRequest(
            f"the filter {filter.operator.value!r} of {filter.key!r} takes {wanted}, got {filter.value!r:.60}"
        )
    return make(field(filter.key), filter.value)


def _ordered(operator: str) -> tuple[str, Callable[[Any], bool], Make]:
    return "a number or a text", is_ordered, lambda field, value: field.compares(operator, value)


def _of_list(make: Make) -> tuple[str, Callable[[Any], bool], Make]:
    return "a list", lambda value: isinstance(value, list), make


def _of_text(case: bool) -> tuple[str, Callable[[Any], bool], Make]:
    return "a text", lambda value: isinstance(value, str), lambda field, value: field.has_text(value, case=case)


def _any(field: Field, values: list[Any]) -> ColumnElement[bool]:
    return sa.or_(sa.false(), *(field.contains([each]) for each in values))


OPERATORS: Mapping[FilterOperator, tuple[str, Callable[[Any], bool], Make]] = {
    FilterOperator.EQ: ("a value", lambda _: True, Field.equals),
    FilterOperator.NE: ("a value", lambda _: True, lambda field, value: sa.not_(field.equals(value))),
    FilterOperator.GT: _ordered(ORDERS["$gt"]),
    FilterOperator.GTE: _ordered(ORDERS["$gte"]),
    FilterOperator.LT: _ordered(ORDERS["$lt"]),
    FilterOperator.LTE: _ordered(ORDERS["$lte"]),
    FilterOperator.IN: _of_list(Field.among),
    FilterOperator.NIN: _of_list(lambda field, values: sa.not_(field.among(values))),
    FilterOperator.ANY: _of_list(_any),
    FilterOperator.ALL: _of_list(Field.contains),
    FilterOperator.CONTAINS: (
        "one value",
        lambda value: not isinstance(value, list),
        lambda field, value: field.contains([value]),
    ),
    FilterOperator.TEXT_MATCH: _of_text(case=True),
    FilterOperator.TEXT_MATCH_INSENSITIVE: _of_text(case=False),
    # a missing value is empty too
    FilterOperator.IS_EMPTY: (
        "no value",
        lambda _: True,
        lambda field, _: sa.or_(sa.not_(field.there), field.among([None, "", []])),
    ),
}
