"""Give a test a database.

The template uses pure SQL. A test that asks for the fixture `kernel` runs once with each kernel; without a C compiler,
or with PGENCODER_NATIVE=off, its native half is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import vectors
from pgencoder.types import KernelName
from tests.connections import Connection, url_of
from tests.databases import EMPTY, Databases
from tests.fix_server import WITHOUT_NATIVE


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """A connection, in autocommit, to this test's migrated database."""
    yield from databases.lend(databases.migrated)


@pytest.fixture
def url(connection: Connection, server_url: sa.URL) -> str:
    return url_of(server_url, connection.info.dbname)


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


@pytest.fixture(params=["sql", "native"])
def kernel(request: pytest.FixtureRequest) -> KernelName:
    """The MaxSim kernel of this test's database."""
    name: KernelName = request.param
    if name == "native":
        request.getfixturevalue("native_kernel")
    return name


@pytest.fixture
def empty(databases: Databases) -> Iterator[Connection]:
    """A connection, in autocommit, to a database without pgencoder."""
    yield from databases.lend(EMPTY)


@pytest.fixture
def empty_url(empty: Connection, server_url: sa.URL) -> str:
    """The URL of a database without pgencoder."""
    return url_of(server_url, empty.info.dbname)
