"""Counts and reports what a worker has done."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pgencoder.ingest.target import Target
from pgencoder.progress import Progress
from pgencoder.results import SyncReport

RATE_SECONDS = 60.0

OnReport = Callable[[Target, SyncReport], None]
logger = logging.getLogger(__name__)


class Record:
    """Counts of what a worker has done, in all and in the last minute; any thread may add to it.

    `on_report` is called with each batch, `on_index` with the tuples of an index that is built.
    """

    def __init__(self, on_report: OnReport | None = None) -> None:
        self.on_report = on_report
        self.on_index: Progress | None = None
        self.rows = 0
        self.passages = 0
        self.failures = 0
        self.batches = 0
        self.encode_seconds = 0.0
        self.indexes = 0
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._recent: deque[tuple[float, str, int]] = deque()

    def batch(self, target: Target, report: SyncReport) -> None:
        """Count one batch, write a line of the log, and call `on_report`."""
        with self._lock:
            self.rows += report.rows + report.deleted
            self.passages += report.passages
            self.failures += report.failed
            self.batches += 1
            self.encode_seconds += report.encode_seconds
            passages = target.objects.generation.passages
            self._recent.append((time.monotonic(), passages, report.rows + report.deleted))
        tell("batch of", target, asdict(report))
        if self.on_report is not None:
            self.on_report(target, report)

    def rates(self) -> dict[str, float]:
        """Return rows a second, by passages table, in the last minute or since the start."""
        now = time.monotonic()
        span = max(1.0, min(RATE_SECONDS, now - self._started))
        rows: dict[str, int] = {}
        with self._lock:
            while self._recent and self._recent[0][0] < now - RATE_SECONDS:
                self._recent.popleft()
            for _, passages, count in self._recent:
                rows[passages] = rows.get(passages, 0) + count
        return {passages: round(count / span, 2) for passages, count in rows.items()}


def tell(what: str, target: Target, report: Mapping[str, Any]) -> None:
    """Log one line with the numbers of a report, without those that are 0."""
    counts = {name: value for name, value in report.items() if value}
    text = ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in counts.items()
    )
    name = target.objects.generation.passages
    logger.info("%s %s: %s", what, name, text, extra={"generation": name, **counts})
