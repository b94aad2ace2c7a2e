"""The Prometheus metrics of a worker: its counters, and the state of the database from the view `pgencoder.status`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from psycopg import errors as pg
from psycopg.rows import dict_row

from pgencoder.db.connection import connected
from pgencoder.errors import PgencoderError, PortUnavailable
from pgencoder.worker.worker import Worker

# Counting rows takes time on large tables: at most a fiftieth of it
FRESH_SECONDS = 5.0
REST = 50

logger = logging.getLogger(__name__)

GAUGES = {
    "coverage": "Share of the source's rows that are encoded as they are now",
    "passages": "Passages stored",
    "queued": "Keys that wait",
    "in_flight": "Keys claimed by a worker",
    "failed": "Keys that rest because they could not be encoded",
    "lag_seconds": "Age of the oldest change that is not encoded",
    "rows_per_second": "Rows encoded a second, in the last minute, by all workers",
    "workers": "Workers seen in the last 30 seconds",
}


def serve(worker: Worker, engine: sa.Engine, host: str, port: int) -> WSGIServer:
    """Serve the metrics of a worker at `/metrics`; return the server. Its `shutdown` ends it."""
    registry = CollectorRegistry()
    registry.register(WorkerCollector(worker))
    registry.register(StatusCollector(engine))
    try:
        server, _thread = start_http_server(port, host, registry)
    except OSError as error:
        raise PortUnavailable(f"cannot serve metrics at {host}:{port}: {error}; give another --metrics-port") from error
    return server


class WorkerCollector(Collector):
    """The counters of this worker since it started."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Yield the counters."""
        record = self._worker.record
        for name, text, value in (
            ("rows", "Rows finished", record.rows),
            ("passages", "Passages written", record.passages),
            ("failures", "Attempts that failed", record.failures),
            ("batches", "Batches written", record.batches),
            ("encode_seconds", "Seconds that the model worked", record.encode_seconds),
        ):
            yield CounterMetricFamily(f"pgencoder_worker_{name}", text, value)


class StatusCollector(Collector):
    """The state of each generation: read on request, then kept for a while."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering reads no state."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges, by collection, generation and state; none while the database is out of reach."""
        with self._lock:
            started = time.monotonic()
            if started >= self._until:
                self._kept = self._read()
                now = time.monotonic()
                self._until = now + max(FRESH_SECONDS, REST * (now - started))
            yield from self._kept

    def _read(self) -> list[Metric]:
        try:
            with connected(self._engine) as connection:
                rows = connection.cursor(row_factory=dict_row).execute("SELECT * FROM pgencoder.status").fetchall()
        except (PgencoderError, pg.Error, sa.exc.DBAPIError) as error:
            logger.warning("no state for the metrics: %s", error, extra={"error": str(error)})
            return []
        labels = ("collection", "generation", "state")
        families: list[Metric] = []
        for name, text in GAUGES.items():
            family = GaugeMetricFamily(f"pgencoder_{name}", text, labels=labels)
            for row in rows:
                if row[name] is not None:
                    family.add_metric([str(row[label]) for label in labels], float(row[name]))
            families.append(family)
        return families
