"""Values of rows, as Python has them where Python can, else as the text that Postgres writes.

Postgres knows moments that are infinite or before Christ, the time 24:00, months as such, arrays that begin at any
number, and integers of thousands of digits. One such value must not fail the query that happens to read it.
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
# which Python has all, but for arrays of them that begin at another number than 1
PLAIN = ("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "uuid", "text", "varchar", "bpchar", "bytea")
INTEGERS = ("smallint", "integer", "bigint")

Lost = Callable[[Any, bytes], bool]


class AsText(str):
    """The text of a value that Python has no object for."""

    __slots__ = ()


def register(connection: psycopg.Connection[Any]) -> None:
    """Let what a connection reads arrive as text where Python cannot have it."""
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
    """A loader that gives the text where `loader` raises, and where its value says less than the text."""

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
    """A month is not 30 days, and a year not 365."""
    return b" mon" in text or b" year" in text


def _is_lost_array(value: Any, text: bytes) -> bool:
    """Python's lists all begin at the same number."""
    return text.startswith(b"[") or _has_text(value)


def _has_text(value: Any, _text: bytes = b"") -> bool:
    """A part of the value is text."""
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
    """A key as the server reads it, a text for each column; takes what queries give, texts included.

    Raises InvalidRequest for a key of another number of columns, or with a value of a type that no column has.
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
