"""Names what users have made on our objects, if those must be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors as pg

from pgencoder.errors import HasDependents


@contextmanager
def named_dependents(what: str = "", then: str = "drop that first, and make it again") -> Iterator[None]:
    """Turn a drop that Postgres refuses into HasDependents.

    Its message has `what` is done, which objects depend on which, and what to do `then`.
    """
    try:
        yield
    except pg.DependentObjectsStillExist as error:
        # each of them is a line; drivers other than psycopg have no detail
        found = "; ".join((error.diag.message_detail or str(error)).splitlines())
        raise HasDependents(f"{what}{found}: {then}") from error
