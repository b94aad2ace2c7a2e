"""Give a test a database.

The template uses pure SQL. A test that asks for the fixture `kernel` runs once with each kernel; without a C compiler,
or with PGENCODER_NATIVE=off, its native half is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import pgencoder
from pgencoder import vectors
from pgencoder.types import KernelName
from tests.connections import Connection, url_of
from tests.fix_server import WITHOUT_NATIVE


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
