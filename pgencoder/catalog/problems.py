"""Says what is wrong with a collection."""

from __future__ import annotations

import warnings
from typing import LiteralString

from pgencoder.catalog.sources import attached_table, find_table
from pgencoder.db.executor import Executor
from pgencoder.errors import InvalidSource
from pgencoder.types import Collection


def problem(executor: Executor, name: str) -> str | None:
    """Say why a collection cannot be encoded; None if it can."""
    return _said(executor, "SELECT pgencoder._source_problem(%s)", name)


def warning(executor: Executor, name: str) -> str | None:
    """Say why changes of a collection's table may go unseen; None if they do not."""
    return _said(executor, "SELECT pgencoder._source_warning(%s)", name)


def warn(executor: Executor, name: str, failure: str | None = None) -> None:
    """Warn of a `failure`, or else of what is wrong with a collection, if anything is."""
    found = failure or problem(executor, name) or warning(executor, name)
    if found is not None:
        warnings.warn(f"collection {name!r}: {found}", stacklevel=2)


def check_problem(executor: Executor, name: str) -> None:
    """Raise InvalidSource with what is wrong with a collection, and what to do."""
    found = problem(executor, name)
    if found is not None:
        raise InvalidSource(f"collection {name!r}: {found}")


def check_source(executor: Executor, collection: Collection) -> None:
    """Raise InvalidSource if the table that has the name of the source is not the one that was attached."""
    named = find_table(executor, collection)
    if named is None or named != attached_table(executor, collection):
        check_problem(executor, collection.name)


def _said(executor: Executor, statement: LiteralString, name: str) -> str | None:
    row = executor.execute(statement, [name]).fetchone()
    return None if row is None else row[0]
