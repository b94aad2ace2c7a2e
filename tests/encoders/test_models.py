"""Models that cannot be loaded: at once, without the hub's noise, and with the reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pgencoder.encoders import DEFAULT_MODEL
from tests import checkpoints

ROOT = Path(__file__).parents[2]
CODE = """
import sys, pgencoder
for name in sys.argv[1:]:
    try:
        print(name, pgencoder.load_encoder(name).dims.dense, sep="\t")
    except pgencoder.PgencoderError as error:
        print(name, f"{type(error).__name__}: {error}", sep="\t")
"""
OF_SERVICES = [
    "text-embedding-3-small",
    "openai/text-embedding-3-small",
    "nomic-embed-text:latest",
    "cohere/embed-english-v3.0",
]


class _Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for models that it has not, or does not show."""

    def do_GET(self) -> None:
        gated = "gated" in self.path
        self.send_response(403 if gated else 404)
        self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def no_hub(tmp_path: Path) -> str:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        return f"http://127.0.0.1:{server.server_port}"  # and now nobody listens there


def load(home: Path, *names: str, **environment: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, *names],
        env={**own, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", **environment},
        cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    assert "etry" not in done.stderr
    lines = [(line.split("\t")[0], line.split("\t")[1]) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(names)
    return dict(lines)


def test_without_the_network(tmp_path: Path, no_hub: str) -> None:
    said = load(tmp_path, "no/such", "./nowhere", "/no/where/at all", *OF_SERVICES, HF_ENDPOINT=no_hub)
    assert "it is not on this machine and the hub cannot be reached" in said["no/such"]
    for name in ("./nowhere", "/no/where/at all"):
        assert "there is no such directory" in said[name]
    for name in OF_SERVICES:
        assert "for a model of a service write openai:NAME" in said[name]
    assert all(line.startswith("ModelNotFound: cannot load ") for line in said.values())
    said = load(tmp_path, "no/such", HF_HUB_OFFLINE="1")
    assert "it is not on this machine and HF_HUB_OFFLINE is set" in said["no/such"]


def test_what_the_hub_does_not_know(tmp_path: Path, hub: str) -> None:
    said = load(tmp_path, "no/such", "gated/model", "cohere/embed-english-v3.0", HF_ENDPOINT=hub)
    assert "the hub has no such model" in said["no/such"]
    assert "gives access on request only" in said["gated/model"]
    assert "for a model of a service write openai:NAME" in said["cohere/embed-english-v3.0"]


def test_a_model_that_was_loaded_before_needs_no_network(tmp_path: Path, no_hub: str) -> None:
    kept = tmp_path / "hub" / "models--own--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    shutil.copytree(checkpoints.sbert(tmp_path / "made"), kept / "snapshots" / ("0" * 40))
    said = load(tmp_path, "own/tiny", DEFAULT_MODEL, HF_ENDPOINT=no_hub)
    assert said == {"own/tiny": str(checkpoints.HIDDEN), DEFAULT_MODEL: "384"}
    assert load(tmp_path, "own/tiny", HF_HUB_OFFLINE="1") == {"own/tiny": str(checkpoints.HIDDEN)}


def test_the_readme_names_the_pinned_torch() -> None:
    pinned = re.search(r"(?m)^torch==(\S+)$", (ROOT / "constraints.txt").read_text())
    assert pinned is not None
    line = f"pip install torch=={pinned[1]} --index-url https://download.pytorch.org/whl/cpu"
    assert line in (ROOT / "README.md").read_text()
