"""Refuses values that cannot be stored or searched for, with an error of one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg import errors as pg

from pgencoder.errors import InvalidRequest

Each = TypeVar("Each")

# Errors that a value causes: a wrong form, a constraint, twice in one statement, too long for an index, or a lone
# surrogate, which is not text
REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    pg.CardinalityViolation,
    pg.ProgramLimitExceeded,
    UnicodeEncodeError,
)


@contextmanager
def refused() -> Iterator[None]:
    """Turn the error for a value that the database refuses into InvalidRequest."""
    try:
        yield
    except (sa.exc.DBAPIError, *REFUSALS) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if not isinstance(cause, REFUSALS):
            raise
        said = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
        raise InvalidRequest(f"the database refuses this: {' '.join((said or str(cause)).split())}") from error


def as_list(values: Iterable[Each], what: str) -> list[Each]:
    """Return the values as a list; raises InvalidRequest for a string, which would become a list of characters."""
    if isinstance(values, str):
        raise InvalidRequest(f"{what} must be a list; for a single value write [{values[:40]!r}]")
    return list(values)


def to_json(value: Any, what: str, *, dict_only: bool = True) -> str:
    """Return the JSON of a dict, or of any value; raises InvalidRequest if it is not JSON."""
    try:
        return json.dumps(dict(value) if dict_only else value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"{what} must be a dict of JSON values: {error}") from error
