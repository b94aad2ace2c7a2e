"""Formats values for people: text without control characters, plain keys, and short reprs."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from typing import Any, TypeVar

LONGEST_TEXT = 60
MOST_ITEMS = 3

# control characters, characters that change the direction of text, and surrogates, which cannot be printed
_CONTROL = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSEEN = re.compile(rf"[\s{_CONTROL}]+")
_UNSEEN_BUT_SPACES = re.compile(rf"(?:[^\S ]|[{_CONTROL}])+")
_UNSEEN_IN_LINES = re.compile(rf"(?![\t\n])[{_CONTROL}]")

T = TypeVar("T")


def one_line(text: str) -> str:
    """Return a text from outside on one line, without characters that control a terminal."""
    return _UNSEEN.sub(" ", text)


def spaced(text: str) -> str:
    """Return a line as `one_line` does, but keep runs of spaces, which our own layout needs."""
    return _UNSEEN_BUT_SPACES.sub(" ", text)


def lines(text: str) -> str:
    """Return a text from outside with its lines and spaces, without characters that control a terminal."""
    return _UNSEEN_IN_LINES.sub("", text)


def escaped(json: str) -> str:
    """Return the same JSON with escapes instead of characters that control a terminal."""
    return _UNSEEN_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def shown_key(key: Any) -> str:
    """Return a primary key as people write it, on one line: `7`, or `7, 2026-01-31` for a composite key."""
    if isinstance(key, tuple):
        return ", ".join(map(shown_key, key))
    if isinstance(key, date | time):
        return key.isoformat()
    return one_line(f"\\x{bytes(key).hex()}" if isinstance(key, bytes | memoryview) else str(key))


def short(value: object) -> str:
    """Return the repr of a value on one short line: long texts are cut, arrays show their shape, dates are ISO."""
    return _SHORT.repr(value)


def short_key(key: object) -> str:
    """Return a primary key for a message: like `short`, without the parentheses of a composite key."""
    return ", ".join(map(short, key)) if isinstance(key, tuple) else short(key)


def short_repr(cls: type[T]) -> type[T]:
    """Give a dataclass a short repr and return it; fields with `repr=False` are left out."""

    def __repr__(self: Any) -> str:
        shown = [each.name for each in fields(self) if each.repr]
        return f"{type(self).__name__}({', '.join(f'{name}={short(getattr(self, name))}' for name in shown)})"

    cls.__repr__ = __repr__  # type: ignore[method-assign]
    return cls


class _Short(reprlib.Repr):
    """Makes reprs by type: `repr_<name>` handles values of the type `<name>`."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxset = self.maxfrozenset = MOST_ITEMS
        self.maxtuple = 8  # columns of a key
        self.maxother = 10 * LONGEST_TEXT  # for values that have short reprs themselves

    def repr_tuple(self, x: tuple[Any, ...], level: int) -> str:
        """Return the items; for dataclasses only their number and type."""
        if x and is_dataclass(x[0]):
            return f"<{len(x)} {type(x[0]).__name__}>"
        return super().repr_tuple(x, level)

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002
        """Return a text, cut at its end if it is long."""
        return repr(x if len(x) <= LONGEST_TEXT else x[: LONGEST_TEXT - 1] + "…")

    def repr_instance(self, x: Any, level: int) -> str:
        """Return the repr of a value of another type; a subclass of str is shown as text."""
        return self.repr_str(str(x), level) if isinstance(x, str) else super().repr_instance(x, level)

    def repr_float(self, x: float, level: int) -> str:  # noqa: ARG002
        """Return a number with six digits."""
        return f"{x:.6g}" if x % 1 else repr(x)

    repr_float32 = repr_float64 = repr_float

    def repr_dict(self, x: Mapping[Any, Any], level: int) -> str:
        """Return the first items; for a fingerprint only the model."""
        names = ["model"] if "model" in x else list(x)[:MOST_ITEMS]
        items = [f"{self.repr1(name, level - 1)}: {self.repr1(x[name], level - 1)}" for name in names]
        return "{" + ", ".join(items + ["..."] * (len(x) > len(names))) + "}"

    def repr_ndarray(self, x: Any, level: int) -> str:  # noqa: ARG002
        """Return the type and the shape of an array."""
        return f"{x.dtype}{x.shape}"

    def repr_date(self, x: Any, level: int) -> str:  # noqa: ARG002
        """Return the ISO form, as Postgres writes it."""
        return str(x.isoformat())

    repr_datetime = repr_time = repr_date

    def repr_UUID(self, x: object, level: int) -> str:  # noqa: ARG002
        """Return the value without its type."""
        return str(x)

    repr_Decimal = repr_UUID


_SHORT = _Short()
