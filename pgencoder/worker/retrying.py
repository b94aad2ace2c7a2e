"""Tells errors that pass from those that stay, and runs again what failed by the first."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import TypeVar

import psycopg
import sqlalchemy as sa

from pgencoder.errors import ConnectionFailed, PgencoderError

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 15.0
# What a database answers, or that it does not
FAILURES = (PgencoderError, psycopg.Error, sa.exc.DBAPIError)

T = TypeVar("T")
logger = logging.getLogger(__name__)


def steadily(run: Callable[[], T], stopped: threading.Event) -> T:
    """Run until the server answers, with growing waits between; once `stopped` is set, raise the last error."""
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return run()
        except Exception as error:
            if not out_of_reach(error) or stopped.is_set():
                raise
            said = error_line(error)
            extra = {"error": said, "wait": wait}
            logger.warning("the database is out of reach, trying again in %.1f s: %s", wait, said, extra=extra)
        stopped.wait(wait * (0.5 + random.random()))  # noqa: S311 - jitter
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def out_of_reach(error: BaseException) -> bool:
    """Return True if the same may work later: no connection, a server that restarts, too few resources, a deadlock."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, ConnectionFailed | psycopg.InterfaceError):
        return True
    state = cause.sqlstate if isinstance(cause, psycopg.OperationalError) else ""
    # 08P01 is a protocol violation: the same would be wrong again
    return state is None or (state[:2] in ("08", "40", "53", "57") and state != "08P01")


def error_line(error: BaseException | str) -> str:
    """Return the text of an error on one line."""
    return " ".join(str(error).split())
