"""Run the command line of pgencoder and the programs of Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from psycopg import sql

from pgencoder import Database
from tests import warm_command
from tests.commands import Run, Tool
from tests.connections import Connection

ROOT = Path(__file__).parents[1]


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


@pytest.fixture(scope="session")
def warm_programs() -> Iterator[Path]:
    """A folder with a program `pgencoder` that starts at once, for the installed one first imports for seconds."""
    with tempfile.TemporaryDirectory(prefix="pgencoder-") as name:
        door, program = Path(name) / "door", Path(name) / "pgencoder"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{warm_command.__file__}" ask "{door}" "$@"\n')
        program.chmod(0o755)
        serving = [sys.executable, "-W", "ignore", "-m", warm_command.__name__, "serve", str(door)]
        with subprocess.Popen(serving, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield Path(name)
            process.terminate()


@pytest.fixture
def command(url: str, tmp_path: Path, warm_programs: Path) -> Run:
    """Runs `pgencoder` with these arguments on this test's database."""

    def call(*arguments: str, database: str | None = url) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PGENCODER_DATABASE_URL"}
        if database is not None:
            environment["PGENCODER_DATABASE_URL"] = database
        return subprocess.run(
            [warm_programs / "pgencoder", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=warm_command.LIMIT + 30)  # fmt: skip

    return call
