"""Encoders of other kinds are loaded by their fingerprints, also by processes that only know an entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pgencoder
from pgencoder import Database
from pgencoder.encoders import loading
from pgencoder.errors import InvalidRequest, UnknownEncoder
from pgencoder.types import Fingerprint
from tests.connections import Connection
from tests.encoder import WordEncoder

ROOT = Path(__file__).parents[2]
PACKAGE = """
from tests.encoders.test_registry import Spoken

def load(fingerprint, device):
    return Spoken(fingerprint["voice"], device)
"""


class Spoken(WordEncoder):
    """A kind of encoder that is stored with all that it needs to be loaded again."""

    def __init__(self, voice: str, device: str | None = None) -> None:
        super().__init__()
        self.fingerprint = {"encoder": "spoken", "model": f"spoken-{voice}", "voice": voice}
        self.device = device or "cpu"


@pytest.fixture
def articles(connection: Connection, db: Database) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles VALUES (1, 'red fox'), (2, 'blue whale')")
    db.attach("articles", ["body"], Spoken("low"))
    return connection


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Fingerprint, str | None]]:
    """The calls of a loader that is registered during the test."""
    calls: list[tuple[Fingerprint, str | None]] = []

    def load(fingerprint: Fingerprint, device: str | None) -> Spoken:
        calls.append((fingerprint, device))
        return Spoken(fingerprint["voice"], device)

    monkeypatch.setattr(loading, "_loaders", dict(loading._loaders))
    pgencoder.register_encoder("spoken", load)
    return calls


def test_a_database_loads_a_registered_kind_by_its_fingerprint(
    articles: Connection, url: str, registered: list[Any]
) -> None:
    with pgencoder.connect(url) as other:
        other.worker(device="cuda:7").run_once()
        assert [hit.key for hit in other.search("articles", "whale", k=1)] == [2]
    assert registered == [(Spoken("low").fingerprint, "cuda:7")], "loaded once, for the worker's device"


def test_a_kind_that_nobody_registers_is_named(articles: Connection, url: str) -> None:
    with pgencoder.connect(url) as other, pytest.raises(UnknownEncoder, match=r"spoken-low .*register_encoder"):
        other.search("articles", "whale")


def test_a_worker_of_another_process_finds_it_by_an_entry_point(articles: Connection, url: str, tmp_path: Path) -> None:
    (tmp_path / "voices.py").write_text(PACKAGE)
    installed = tmp_path / "voices-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: voices\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[pgencoder.encoders]\nspoken = voices:load\n")
    paths = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PGENCODER_DATABASE_URL": url}
    command = [str(Path(sys.executable).parent / "pgencoder"), "worker", "--once"]
    done = subprocess.run(command, env={**os.environ, **paths}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert articles.execute("SELECT count(*) FROM pgencoder.articles_1").fetchone() == (2,)


@pytest.mark.parametrize(("kind", "loader"), [("", Spoken), (1, Spoken), ("spoken", None)])
def test_what_cannot_be_registered(kind: Any, loader: Any) -> None:
    with pytest.raises(InvalidRequest, match="an encoder's kind is a text, and its loader a function"):
        pgencoder.register_encoder(kind, loader)
