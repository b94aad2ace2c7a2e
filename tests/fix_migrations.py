"""Create a directory with an Alembic environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.migrations import Project


@pytest.fixture(params=["psycopg", "asyncpg"])
def alembic_project(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Project:
    return Project(tmp_path / "migrations", url, request.param)


@pytest.fixture
def psycopg_project(tmp_path: Path, url: str) -> Project:
    return Project(tmp_path / "migrations", url)
