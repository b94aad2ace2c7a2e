"""Start one private Postgres for the whole run, with a migrated template that each test gets a copy of."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from pytest_postgresql import factories

import pgencoder
from pgencoder.db import embedded
from pgencoder.kernel import native
from tests.connections import url_of

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


def migrated(host: str, user: str, dbname: str, **_: Any) -> None:
    db = pgencoder.connect(url_of(host, user, dbname))
    db.migrate()
    db.close()


template_server = factories.postgresql_noproc(dbname="template_pgencoder", load=[migrated])
postgresql = factories.postgresql("template_server", dbname="template_pgencoder")
empty_server = factories.postgresql_noproc(dbname="template_empty", load=[])
empty = factories.postgresql("empty_server", dbname="template_empty")
