"""Looks for what is wrong with the tables of collections, as far as a worker must know."""

from __future__ import annotations

import logging
import math
import time

from pgencoder import catalog
from pgencoder.db.connection import Connection

LOOK_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Tables:
    """Looks at the table of each collection every few seconds.

    `warnings` say why changes may go unseen, by collection.
    """

    def __init__(self) -> None:
        self.warnings: dict[str, str] = {}
        self._problems: dict[str, str | None] = {}
        self._due: dict[str, float] = {}

    def problem(self, connection: Connection, name: str) -> str | None:
        """Return why nothing of a collection may be encoded; None if it may."""
        if self._due.get(name, -math.inf) <= time.monotonic():
            self._look(connection, name)
            self._due[name] = time.monotonic() + LOOK_SECONDS
        return self._problems[name]

    def forget(self, names: set[str]) -> None:
        """Forget all collections except these."""
        for name in self._due.keys() - names:
            del self._due[name], self._problems[name]
            self.warnings.pop(name, None)

    def _look(self, connection: Connection, name: str) -> None:
        problem = self._problems[name] = catalog.problem(connection, name)
        warning = catalog.warning(connection, name) if problem is None else None
        if warning is None:
            self.warnings.pop(name, None)
        elif self.warnings.get(name) != warning:
            logger.warning("changes go unseen", extra={"collection": name, "error": warning})
            self.warnings[name] = warning
