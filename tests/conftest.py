"""A private Postgres for the whole run, a migrated template of a database, and a copy of it for each test.

The template uses pure SQL. A test that asks for the fixture `kernel` runs once with each kernel; without a C compiler,
or with PGENCODER_NATIVE=off, its native half is skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# set before anything imports the hub's client: no test may look for a model outside
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import psycopg
import pytest
import sqlalchemy as sa
from pytest_postgresql import factories

import pgencoder
from pgencoder import vectors
from pgencoder.db import embedded
from pgencoder.kernel import native
from pgencoder.types import KernelName
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]
HOME = pytest.StashKey[Path]()
WITHOUT_NATIVE = pytest.StashKey[str | None]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server and tell pytest-postgresql where it is."""
    home = Path(tempfile.mkdtemp(prefix="pgencoder-"))
    config.stash[HOME] = home
    url = sa.make_url(embedded.start(home / "data"))
    config.option.postgresql_host = url.query["host"]
    config.option.postgresql_user = url.username
    config.stash[WITHOUT_NATIVE] = native.install_unasked(None)


def pytest_report_header(config: pytest.Config) -> str:
    with psycopg.connect(host=config.option.postgresql_host, user=config.option.postgresql_user) as connection:
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
    home = config.stash[HOME]
    embedded.stop(home / "data")
    shutil.rmtree(home, ignore_errors=True)


def url_of(host: str, user: str, dbname: str) -> str:
    return sa.URL.create("postgresql", user, database=dbname, query={"host": host}).render_as_string(False)


def migrated(host: str, user: str, dbname: str, **_: Any) -> None:
    db = pgencoder.connect(url_of(host, user, dbname))
    db.migrate()
    db.close()


template_server = factories.postgresql_noproc(dbname="template_pgencoder", load=[migrated])
postgresql = factories.postgresql("template_server", dbname="template_pgencoder")
empty_server = factories.postgresql_noproc(dbname="template_empty", load=[])
empty = factories.postgresql("empty_server", dbname="template_empty")


def _url(connection: Connection) -> str:
    return url_of(connection.info.host, connection.info.user, connection.info.dbname)


@pytest.fixture
def connection(postgresql: Connection) -> Connection:
    """A connection, in autocommit, to this test's migrated database."""
    postgresql.autocommit = True
    return postgresql


@pytest.fixture
def url(connection: Connection) -> str:
    return _url(connection)


@pytest.fixture
def db(url: str) -> Iterator[pgencoder.Database]:
    database = pgencoder.connect(url)
    yield database
    database.close()


@pytest.fixture
def native_available(pytestconfig: pytest.Config) -> None:
    """Skip a test that needs the extension where it could not be compiled."""
    if (reason := pytestconfig.stash[WITHOUT_NATIVE]) is not None:
        pytest.skip(reason)


@pytest.fixture
def native_kernel(native_available: None, db: pgencoder.Database) -> None:
    """Let this test's database use the extension."""
    db.use_kernel("native")


@pytest.fixture
def native_server(connection: Connection, native_kernel: None) -> Connection:
    """A connection that can send vectors, to a database with the native kernel."""
    vectors.register(connection)
    return connection


def value(connection: Connection, statement: str) -> object:
    """The one value that a statement returns."""
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(params=["sql", "native"])
def kernel(request: pytest.FixtureRequest) -> KernelName:
    """The MaxSim kernel of this test's database."""
    name: KernelName = request.param
    if name == "native":
        request.getfixturevalue("native_kernel")
    return name


@pytest.fixture
def empty_url(empty: Connection) -> str:
    """The URL of a database without pgencoder."""
    return _url(empty)


@pytest.fixture
def words() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def minilm() -> pgencoder.Encoder:
    """The real model."""
    return pgencoder.load_encoder()
