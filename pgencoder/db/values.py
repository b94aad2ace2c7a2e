"""Loads values of rows as Python objects, or as the text of Postgres where Python has no such object.

Postgres has moments that are infinite or before Christ, the time 24:00, intervals of months, arrays that begin at any
number, and integers of thousands of digits. A query must not fail because it reads such a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
from psycopg import postgres
from psycopg.abc import AdaptContext, Buffer, Loader
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from pgencoder.errors import InvalidRequest
from pgencoder.plain import short_key
from pgencoder.types import KeyColumn

MOMENTS = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
RANGES = ("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange")
MULTIRANGES = tuple(name.replace("range", "multirange") for name in RANGES)
OTHERS = ("json", "jsonb", "inet", "cidr")
# Python has all these values; only arrays of them can be without a Python object, if they do not begin at 1
PLAIN = ("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "uuid", "text", "varchar", "bpchar", "bytea")
INTEGERS = ("smallint", "integer", "bigint")

Lost = Callable[[Any, bytes], bool]


class AsText(str):
    """The text of a value that Python has no object for."""

    __slots__ = ()


def read_leniently(connection: psycopg.Connection[Any]) -> None:
    """Let a connection return text for values that have no Python object."""
    for oid, loader, lost in _loaders():
        connection.adapters.register_loader(oid, _forgiving(loader, lost))


@cache
def _loaders() -> list[tuple[int, type[Loader], Lost]]:
    lost: dict[int, Lost] = {}
    for name in (*MOMENTS, *RANGES, *MULTIRANGES, *OTHERS):
        lost[postgres.types[name].oid] = _has_months if name == "interval" else _never if name in OTHERS else _has_text
    for name in (*MOMENTS, *RANGES, *MULTIRANGES, *OTHERS, *PLAIN):
        lost[postgres.types[name].array_oid] = _is_lost_array
    known = ((oid, psycopg.adapters.get_loader(oid, Format.TEXT)) for oid in lost)
    return [(oid, loader, lost[oid]) for oid, loader in known if loader is not None]


@cache
def _forgiving(loader: type[Loader], lost: Lost) -> type[Loader]:
    """Return a loader that gives the text if `loader` raises or if its value loses a part of the text."""

    class Forgiving:
        format = Format.TEXT

        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            self._loader = loader(oid, context)

        def load(self, data: Buffer) -> Any:
            text = bytes(data)
            try:
                value = self._loader.load(data)
            except Exception:  # whatever a parser raises: DataError, OverflowError, RecursionError, ...
                return _text(text)
            return _text(text) if lost(value, text) else value

    return Forgiving


def _never(_value: Any, _text: bytes) -> bool:
    return False


def _has_months(_value: Any, text: bytes) -> bool:
    """Return True for an interval with months or years, which Python would turn into 30 or 365 days."""
    return b" mon" in text or b" year" in text


def _is_lost_array(value: Any, text: bytes) -> bool:
    """Return True for an array with bounds, which a Python list cannot keep, or with an item that is text."""
    return text.startswith(b"[") or _has_text(value)


def _has_text(value: Any, _text: bytes = b"") -> bool:
    """Return True if the value, or a part of it, is text."""
    match value:
        case AsText():
            return True
        case list() | Multirange():
            return any(map(_has_text, value))
        case Range():
            return isinstance(value.lower, AsText) or isinstance(value.upper, AsText)
    return False


def _text(data: bytes) -> AsText:
    return AsText(data.decode(errors="replace"))


def key_texts(connection: psycopg.Connection[Any], columns: Sequence[KeyColumn], key: Any) -> list[str | None]:
    """Return a key as a text for each column, as the server reads it.

    `key` has values as queries return them; texts are allowed too. Raises InvalidRequest if the number of values is
    wrong, or if a value has a type that no column can have.
    """
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) != len(columns):
        names = ", ".join(column.source for column in columns)
        raise InvalidRequest(f"key must have a value for each of {names}, got {short_key(key)}")
    try:
        return [_key_text(connection, column, part) for column, part in zip(columns, parts, strict=True)]
    except (psycopg.Error, TypeError, ValueError) as error:
        raise InvalidRequest(f"cannot look for key {short_key(key)}: {error}") from error


def _key_text(connection: psycopg.Connection[Any], column: KeyColumn, value: Any) -> str | None:
    if isinstance(value, AsText):
        return value
    if column.type == "jsonb":
        value = Jsonb(value)  # None too: it is null
    elif value is None or isinstance(value, str):
        return value
    elif column.type in INTEGERS and isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != int(value):
            raise ValueError(f"{column.source} is {column.type}, got {value!r}")
        value = int(value)
    dumped = Transformer(connection).get_dumper(value, PyFormat.TEXT).dump(value)
    return bytes(dumped or b"").decode()
