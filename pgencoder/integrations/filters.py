"""Turns filters that are dicts into conditions on JSON: `{"lang": "en", "year": {"$gte": 2020}}`.

    {"lang": "en"}                 the value is equal; a list or a dict must be contained in the value
    {"year": {"$gte": 2020}}       an operator, or several operators that must all hold
    {"author": {"name": "Ann"}}    a key of a nested dict; also {"author.name": "Ann"}, unless there is such a key
    {"$or": [{...}, {...}]}        one filter holds; $and: all hold; $not: the filter, or each of a list, does not hold
    {}                             every row passes; several keys must all hold

    $eq, $ne                       equal as JSON; a list or a dict must be equal as a whole
    $gt, $gte, $lt, $lte           a number is compared with numbers, a text with texts, character by character; this
                                   also works for dates in ISO format
    $between: [low, high]          the bounds are included
    $in, $nin                      a list of texts, numbers, booleans or None
    $like, $ilike                  a pattern for texts: % is any text, _ any character; $ilike ignores case
    $exists                        True or False: the key is there, also with the value None

Numbers are equal as numbers (1 and 1.0). Values of different types are not equal, and that is not an error. Each
condition is true or false, never unknown. $ne, $nin and $not are the exact opposite of $eq, $in and the filter, so they
hold if the key is missing. MongoDB, Chroma and llama-index-core (`build_metadata_filter_fn`) do the same.

The operators are those of langchain-postgres (`_create_filter_clause` of its PGVector and PGVectorStore). It differs in
three points: for $ne and $nin it leaves out rows without the key, for $in and $like it compares numbers as texts, and
it refuses $and and $or beside other keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import UserDefinedType

from pgencoder.errors import InvalidRequest
from pgencoder.integrations.refusal import to_json

# SQLAlchemy, Python and Postgres have such limits too, but their errors are hard to understand
DEEPEST = 30
MOST_CONDITIONS = 2000

ORDERS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class Named(UserDefinedType[Any]):
    """A type by its qualified name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the type in the form that CAST needs."""
        return self.name


JSONB = Named("pg_catalog.jsonb")
TEXT = Named("pg_catalog.text")
TEXTS = Named("pg_catalog.text[]")
catalog = sa.func.pg_catalog


@dataclass(frozen=True)
class Field:
    """A value of each row as JSON, or NULL if the row has none; its tests are true or false, never NULL.

    `there` is the condition that the value exists. If the value is a key of a jsonb column, `holder` is that column and
    `name` the key.
    """

    value: ColumnElement[Any]
    there: ColumnElement[bool]
    holder: ColumnElement[Any] | None = None
    name: str = ""

    def of(self, name: str) -> Field:
        """Return the field for a key of this value."""
        return of_json(member(self.value, name))

    def equals(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that the value is this JSON value."""
        return _known(_operator(self.value, "=", constant(value)))

    def contains(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that the value is this value, or a list or a dict that contains it."""
        if self.holder is not None:  # this form can use a GIN index of the column
            return sa.and_(self.holder.is_not(None), _operator(self.holder, "@>", constant({self.name: value})))
        if isinstance(value, Mapping | list | tuple):
            return _known(_operator(self.value, "@>", constant(value)))
        return self.equals(value)

    def among(self, values: Any) -> ColumnElement[bool]:
        """Return the condition that the value is one of these texts, numbers, booleans or None."""
        listed = _operator(constant(values), "@>", catalog.jsonb_build_array(self.value))
        return sa.and_(self.value.is_not(None), listed)

    def compares(self, operator: str, value: float | str) -> ColumnElement[bool]:
        """Return the condition that the value has the type of `value`, a number or a text, and compares so to it."""
        if isinstance(value, str):
            # byte by byte, independent of the database's collation
            return self._is_text(_operator(self.text, f"~{operator}~", constant_text(value)))
        return self._is("number", _operator(self.value, operator, constant(value)))

    def matches(self, pattern: str, *, case: bool) -> ColumnElement[bool]:
        """Return the condition that the value is a text that matches the LIKE pattern, or the ILIKE pattern."""
        return self._is_text(_operator(self.text, "~~" if case else "~~*", constant_text(pattern)))

    def has_text(self, part: str, *, case: bool) -> ColumnElement[bool]:
        """Return the condition that the value is a text that contains `part`."""
        whole, wanted = self.text, constant_text(part)
        if not case:
            whole, wanted = catalog.lower(whole), catalog.lower(wanted)
        return self._is_text(_operator(catalog.strpos(whole, wanted), ">", sa.literal_column("0")))

    @property
    def text(self) -> ColumnElement[Any]:
        """The value as text, without quotes if it is a JSON string."""
        return _operator(self.value, "#>>", sa.cast(sa.literal("{}", sa.String()), TEXTS), TEXT)

    def _is_text(self, test: ColumnElement[Any]) -> ColumnElement[bool]:
        return self._is("string", test)

    def _is(self, kind: str, test: ColumnElement[Any]) -> ColumnElement[bool]:
        return _known(sa.and_(_operator(catalog.jsonb_typeof(self.value), "=", constant_text(kind)), test))


Fields = Callable[[str], Field]


def metadata_field(column: ColumnElement[Any]) -> Fields:
    """Return a function that finds the fields of a jsonb column: a key, or a path with dots if there is no such key."""

    def field(name: str) -> Field:
        value = member(column, name)
        if "." not in name:
            return Field(value, value.is_not(None), column, name)
        if name.count(".") >= DEEPEST:
            raise too_large()
        return of_json(sa.func.coalesce(value, reduce(member, name.split("."), column), type_=JSONB))

    return field


def of_json(value: ColumnElement[Any]) -> Field:
    """Return the field of a JSON value; NULL means that a row has none."""
    return Field(value, value.is_not(None))


def member(value: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Return the value of a key; NULL if the key is missing or `value` is not an object."""
    return catalog.jsonb_object_field(value, constant_text(name), type_=JSONB)


def constant(value: Any) -> ColumnElement[Any]:
    """Return a value as JSON."""
    return sa.cast(sa.literal(to_json(value, "filter", dict_only=False), sa.String()), JSONB)


def constant_text(value: str) -> ColumnElement[Any]:
    """Return a value as text."""
    return sa.cast(sa.literal(value, sa.String()), TEXT)


def condition(filter: Mapping[str, Any], field: Fields) -> ColumnElement[bool]:
    """Return the condition for a filter; `field` finds the fields by name. Raises InvalidRequest for a wrong filter."""
    _check_size(filter)
    to_json(filter, "filter")
    return _every(filter, field)


def _check_size(filter: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for keys that are not texts, and for a filter that is too deep or too long to send."""
    level: list[Any] = [filter]
    depth = conditions = 0
    while level:
        depth += 1
        dicts = [each for each in level if isinstance(each, Mapping)]
        conditions += sum(map(len, dicts))
        if wrong := [name for each in dicts for name in each if not isinstance(name, str)]:
            raise _wrong(f"keys must be texts, got {wrong[0]!r:.60}")
        if depth > DEEPEST or conditions > MOST_CONDITIONS:
            raise too_large()
        inner = [each.values() if isinstance(each, Mapping) else each for each in level]
        level = [each for several in inner for each in several if isinstance(each, Mapping | list | tuple)]


def too_large() -> InvalidRequest:
    """Return the error for a filter that cannot be sent."""
    return InvalidRequest(
        f"filter has more than {DEEPEST} levels or {MOST_CONDITIONS} conditions; for many values of a key use $in"
    )


def _every(filter: Mapping[str, Any], field: Fields) -> ColumnElement[bool]:
    return sa.and_(
        sa.true(),
        *(
            _combined(name, value, field) if name.startswith("$") else _of_field(field(name), name, value)
            for name, value in filter.items()
        ),
    )


def _combined(name: str, value: Any, field: Fields) -> ColumnElement[bool]:
    """Return the condition for $and, $or or $not, which stand beside keys."""
    if name not in ("$and", "$or", "$not"):
        under = name in OPERATORS
        raise _wrong(f"{name} stands under a key, such as {{'year': {{{name!r}: ...}}}}" if under else _unknown(name))
    filters = [value] if name == "$not" and isinstance(value, Mapping) else value
    if not (isinstance(filters, list | tuple) and filters and all(isinstance(each, Mapping) for each in filters)):
        raise _wrong(f"{name} takes a list of filters{' or one filter' if name == '$not' else ''}, got {value!r:.60}")
    parts = [_every(each, field) for each in filters]
    return sa.and_(*parts) if name == "$and" else sa.or_(*parts) if name == "$or" else sa.not_(sa.or_(*parts))


def _of_field(field: Field, name: str, value: Any) -> ColumnElement[bool]:
    if not _has_operators(value):
        return field.contains(value)
    if not isinstance(value, Mapping):
        raise _wrong(f"an operator cannot stand in a list, as it does under {name!r}")
    operators = [each for each in value if each.startswith("$")]
    if not operators:
        return sa.and_(*(_of_field(field.of(each), each, inner) for each, inner in value.items()))
    if len(operators) < len(value):
        raise _wrong(f"operators and keys cannot stand side by side, as they do under {name!r}")
    return sa.and_(*(_test(field, name, each, inner) for each, inner in value.items()))


def _has_operators(value: Any) -> bool:
    """Return True if a value contains an operator; what is under $eq and $ne does not count."""
    if isinstance(value, Mapping):
        return any(name.startswith("$") or _has_operators(inner) for name, inner in value.items())
    return isinstance(value, list | tuple) and any(map(_has_operators, value))


def _test(field: Field, name: str, operator: str, value: Any) -> ColumnElement[bool]:
    if operator in ("$and", "$or", "$not"):
        raise _wrong(f"{operator} stands beside keys, not under {name!r}")
    if operator not in OPERATORS:
        raise _wrong(_unknown(operator))
    wanted, fits, test = OPERATORS[operator]
    if not fits(value):
        raise _wrong(f"{operator} of {name!r} takes {wanted}, got {value!r:.60}")
    return test(field, value)


def is_scalar(value: Any) -> bool:
    """Return True if a value is a text, a number, a boolean or None."""
    return value is None or isinstance(value, str | int | float)


def is_ordered(value: Any) -> bool:
    """Return True if a value has an order: a number or a text."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _are_scalars(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(is_scalar, value))


def _are_bounds(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(map(is_ordered, value))
        and isinstance(value[0], str) == isinstance(value[1], str)
    )


def _is_pattern(value: Any) -> bool:
    # LIKE fails if the pattern ends with an escape character
    return isinstance(value, str) and (len(value) - len(value.rstrip("\\"))) % 2 == 0


def _ordered(operator: str) -> Callable[[Field, Any], ColumnElement[bool]]:
    return lambda field, value: field.compares(operator, value)


Test = tuple[str, Callable[[Any], bool], Callable[[Field, Any], ColumnElement[bool]]]

OPERATORS: Mapping[str, Test] = {
    "$eq": ("a value", lambda _: True, Field.equals),
    "$ne": ("a value", lambda _: True, lambda field, value: sa.not_(field.equals(value))),
    **{name: ("a number or a text", is_ordered, _ordered(operator)) for name, operator in ORDERS.items()},
    "$in": ("a list of texts, numbers, booleans or None", _are_scalars, Field.among),
    "$nin": (
        "a list of texts, numbers, booleans or None",
        _are_scalars,
        lambda field, values: sa.not_(field.among(values)),
    ),
    "$between": (
        "a list of two numbers or two texts",
        _are_bounds,
        lambda field, bounds: sa.and_(field.compares(">=", bounds[0]), field.compares("<=", bounds[1])),
    ),
    "$like": (
        "a text that does not end with one \\",
        _is_pattern,
        lambda field, value: field.matches(value, case=True),
    ),
    "$ilike": (
        "a text that does not end with one \\",
        _is_pattern,
        lambda field, value: field.matches(value, case=False),
    ),
    "$exists": (
        "True or False",
        lambda value: isinstance(value, bool),
        lambda field, value: field.there if value else sa.not_(field.there),
    ),
}


def _unknown(operator: str) -> str:
    return f"there is no operator {operator!r:.60}"


def _wrong(problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"filter: {problem}; operators under a key: {', '.join(OPERATORS)}; beside keys: $and, $or, $not"
    )


def _operator(left: Any, symbol: str, right: Any, type_: Any = None) -> ColumnElement[Any]:
    return left.op(f"OPERATOR(pg_catalog.{symbol})", return_type=type_ or sa.Boolean())(right)  # type: ignore[no-any-return]


def _known(test: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return a condition that is false where the test is NULL."""
    return sa.func.coalesce(test, sa.false(), type_=sa.Boolean())
