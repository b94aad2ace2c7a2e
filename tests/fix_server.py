"""Start one private Postgres for the whole run.

It keeps its data in memory where there is room, and does not wait for the disk, because it need not survive a crash.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from pgencoder.db import embedded, postmaster
from pgencoder.kernel import native
from tests.connections import connect
from tests.databases import Databases

HOME = pytest.StashKey[Path]()
SERVER = pytest.StashKey[sa.URL]()
WITHOUT_NATIVE = pytest.StashKey[str | None]()

MEMORY = Path("/dev/shm")  # where Linux has it
ROOM = 4 * 2**30  # bytes
PREFIX = "pgencoder-tests-"
LEFT = 3600  # seconds; an older folder without a server was left by a run that was killed
# To build an index, several processes share 64 MB, and to reserve these takes ten times as long as to index a few rows.
# So one process builds it. Tests of many rows, or of the build, let their database use two.
SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
max_wal_size = '256MB'
max_parallel_maintenance_workers = 0
"""


def pytest_configure(config: pytest.Config) -> None:
    """Start the server."""
    remove_leftovers()
    home = config.stash[HOME] = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder()))
    data = home / "data"
    data.mkdir(mode=0o700)
    embedded.initialise(data)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    config.stash[SERVER] = sa.make_url(embedded.start(data))
    config.stash[WITHOUT_NATIVE] = native.install_unasked(None)


def folder() -> Path | None:
    """Where the server's data goes; None for the system's folder of temporary files."""
    with suppress(OSError):
        if shutil.disk_usage(MEMORY).free >= ROOM:
            return MEMORY
    return None


def remove_leftovers() -> None:
    """Remove from memory what runs that were killed have left there."""
    for home in MEMORY.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - home.stat().st_mtime > LEFT and postmaster.find(home / "data") is None:
                shutil.rmtree(home, ignore_errors=True)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which versions are tested."""
    with connect(config.stash[SERVER]) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), default_version FROM pg_available_extensions"
            " WHERE name = 'vector'"
        ).fetchone()
    assert row is not None
    without = config.stash[WITHOUT_NATIVE]
    return (
        f"postgres {row[0]}, pgvector {row[1]}, psycopg {psycopg.__version__} ({psycopg.pq.__impl__}),"
        f" MaxSim kernels: sql{', native' if without is None else f' only: {without}'}"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its data."""
    home = config.stash[HOME]
    embedded.stop(home / "data")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> sa.URL:
    """The URL of the server as its superuser."""
    return pytestconfig.stash[SERVER]


@pytest.fixture(scope="session")
def databases(server_url: sa.URL) -> Iterator[Databases]:
    """Databases on the server, a new one for each test that asks."""
    with connect(server_url) as admin:
        yield Databases(server_url, admin)
