"""Waits for the notifications that wake a worker."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType

import sqlalchemy as sa
from psycopg import errors as pg

from pgencoder.db.connection import Connection

LISTEN_SECONDS = 0.25  # a signal is heeded after at most this


class Notifications:
    """Listens where the connection lets notifications through; elsewhere it only waits."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None

    def __enter__(self) -> Notifications:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._close()

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Return at the first notification, after `seconds`, or soon after `stopping` is set.

        Return at once after it has begun to listen: it did not hear what happened before.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not stopping.is_set():
            try:
                if self._connection is None:
                    self._open()
                    return
                if next(self._driver.notifies(timeout=min(left, LISTEN_SECONDS), stop_after=1), None) is not None:
                    return
            except (pg.Error, sa.exc.DBAPIError):
                self._close()
                stopping.wait(min(left, 1.0))

    def _open(self) -> None:
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._driver.execute("LISTEN pgencoder")

    @property
    def _driver(self) -> Connection:
        assert self._connection is not None
        driver: Connection = self._connection.connection.driver_connection  # type: ignore[assignment]
        return driver

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(pg.Error):
                self._driver.execute("UNLISTEN pgencoder")  # a pooler would keep it for the next client
            # not back into the pool either: it may be broken
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
