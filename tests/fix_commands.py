"""Run the command line of pgencoder and the programs of Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from psycopg import sql

from pgencoder import Database
from tests.commands import Run, Tool
from tests.connections import Connection


@pytest.fixture
def server_program(db: Database) -> Tool:
    """Runs a program of the server's own installation, so that their versions agree; returns its complaints."""
    pg_config = db.pg_config()
    assert pg_config is not None, "the tests' server runs on this machine, and its role may ask"

    def run(name: str, *arguments: str | Path, may_fail: bool = False) -> str:
        done = subprocess.run(
            [pg_config.parent / name, *arguments], capture_output=True, text=True, check=False, timeout=120
        )
        assert may_fail or done.returncode == 0, done.stderr
        return done.stderr

    return run


@pytest.fixture
def bare_url(connection: Connection, url: str) -> Iterator[str]:
    """The URL of a new database without anything in it."""
    name = f"{connection.info.dbname}_restored"
    identifier = sql.Identifier(name)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
    yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@pytest.fixture
def command(url: str, tmp_path: Path) -> Run:
    def call(*arguments: str, database: str | None = url) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PGENCODER_DATABASE_URL"}
        if database is not None:
            environment["PGENCODER_DATABASE_URL"] = database
        return subprocess.run(
            [str(Path(sys.executable).parent / "pgencoder"), *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip

    return call
