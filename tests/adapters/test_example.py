"""The application in `examples/articles`: its README's commands, started for real and asked over HTTP."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import pgencoder
from tests.connections import Connection

EXAMPLE = Path(__file__).parents[2] / "examples" / "articles"
BINARIES = Path(sys.executable).parent
DEADLINE = 120.0


class App:
    """The application in a directory of its own, with its migrations applied and its processes running."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {
            **os.environ,
            "PGENCODER_DATABASE_URL": url,
            "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        }
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def shell(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8000", f"127.0.0.1:{self.port}")],
            cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False,
            timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[bytes]:
        command = command.removesuffix("&").strip().replace("app:app", f"app:app --port {self.port}")
        return subprocess.Popen(command.split(), cwd=self.directory, env=self.environment)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(path, params=query)

    def until_encoded(self) -> None:
        end = time.monotonic() + DEADLINE
        while self.get("/status").json()["waiting"]:
            assert time.monotonic() < end, "the worker does not encode"
            time.sleep(0.1)


@pytest.fixture
def app(connection: Connection, url: str, tmp_path: Path) -> Iterator[App]:
    shutil.copytree(EXAMPLE, tmp_path / "articles")
    app = App(tmp_path / "articles", url)
    commands, _ = re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.S)
    lines = [line.split("#")[0].strip() for line in commands.splitlines()]
    app.shell("\n".join(line for line in lines if not line.endswith("&")))
    running = [app.start(line) for line in lines if line.endswith("&")]
    try:
        end = time.monotonic() + DEADLINE
        while True:
            try:
                app.get("/status")
                break
            except httpx.TransportError:
                assert time.monotonic() < end, "the application does not start"
                assert all(process.poll() is None for process in running)
                time.sleep(0.1)
        yield app
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(60) for process in running]
        app.client.close()
    assert codes[0] == 0
    assert codes[1] in (0, -signal.SIGTERM)  # uvicorn raises the signal again once it has ended


def test_the_application(app: App, url: str) -> None:
    texts = {
        "Replication": ("en", "Standbys lag when they replay the log slower than the primary writes it."),
        "Vacuum": ("en", "Dead rows are removed, and their space is used again."),
        "Brot": ("de", "Sauerteig braucht Zeit und eine warme Ecke."),
    }
    numbers = {}
    for title, (lang, body) in texts.items():
        stored = app.client.post("/articles", json={"lang": lang, "title": title, "body": body})
        assert stored.status_code == 201
        numbers[title] = stored.json()["id"]
    app.until_encoded()

    query = "why is my replica behind?"
    found = app.get("/search", q=query).json()
    assert found[0]["article"]["title"] == "Replication"
    assert len(found) == 3
    assert found[0]["passage"] == f"Replication {texts['Replication'][1]}"
    assert found[0]["score"] > found[1]["score"]
    with pgencoder.connect(url) as db:
        assert [each["score"] for each in found] == [hit.score for hit in db.search("articles", query)]
    german = app.get("/search", q=query, lang="de").json()
    assert [each["article"]["title"] for each in german] == ["Brot"]

    page = app.get(f"/articles/{numbers['Replication']}/why", q=query)
    assert page.headers["content-type"].startswith("text/html")
    assert "Standbys" in page.text
    prompt = app.get("/context", q=query, max_tokens=60).text
    assert prompt.startswith("[1] Replication")
    assert app.get("/context", q=query, max_tokens=1).text == ""
    assert app.get("/status").json() == {"waiting": 0, "failed": 0, "lag_seconds": 0}

    changed = {"lang": "en", "title": "Bread", "body": "Sourdough needs time."}
    assert app.client.put(f"/articles/{numbers['Brot']}", json=changed).json()["title"] == "Bread"
    assert app.client.delete(f"/articles/{numbers['Replication']}").status_code == 204
    titles = [each["article"]["title"] for each in app.get("/search", q=query).json()]
    assert "Replication" not in titles  # before any worker has looked
    app.until_encoded()
    assert app.get("/search", q="how to bake").json()[0]["passage"] == "Bread Sourdough needs time."

    assert app.client.delete("/articles/999").status_code == 404
    assert app.get("/search", q="").status_code == 422
    blank = app.get("/search", q=" ")
    assert (blank.status_code, "no tokens" in blank.json()["detail"]) == (422, True)
    assert app.get("/articles/999/why", q=query).status_code == 404


def test_its_migrations(app: App, url: str) -> None:
    _, asked = re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.S)
    for command in asked.splitlines():
        assert app.shell(command.replace("--json", "-H content-type:application/json -d")) or "why.html" in command
        app.until_encoded()
    assert "Standbys" in (app.directory / "why.html").read_text()
    # what the classes declare is what the migrations made
    assert "No new upgrade operations" in app.shell("alembic check")
    assert "CREATE TABLE articles" in app.shell("alembic upgrade head --sql")
    app.shell("alembic downgrade base")
    with pgencoder.connect(url) as db:
        assert db.collections() == []
        app.shell("alembic upgrade head")
        assert [each.name for each in db.collections()] == ["articles"]
