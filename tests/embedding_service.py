"""A service of embeddings on a port of this machine: it speaks three protocols, and misbehaves as a test tells it."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.encoder import WordEncoder

DIMS = 32


class Service:
    """Notes requests, and answers with the vectors of `WordEncoder`.

    `script` has what it does with the next requests, `always` with the others: a status, with its headers if need be,
    or a function of the answer that returns the body. `refused` is a text that it does not embed.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.script: deque[Any] = deque()
        self.always: Any = None
        self.refused: str | None = None
        self.delay = 0.0

    @property
    def texts(self) -> list[list[str]]:
        """The texts of each request."""
        return [body["inputs" if "inputs" in body else "input"] for _, _, body in self.requests]

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        texts = body["inputs" if path == "/embed" else "input"]
        words = WordEncoder()
        vectors = [words.encode_query(text).dense.tolist()[: body.get("dimensions", DIMS)] for text in texts]
        if path == "/embed":
            return vectors
        if path == "/api/embed":
            return {"model": body["model"], "embeddings": vectors}
        data = [{"object": "embedding", "index": i, "embedding": each} for i, each in enumerate(vectors)]
        return {"object": "list", "model": body["model"], "data": data[::-1]}


@contextmanager
def serving(port: int = 0, service: Service | None = None) -> Iterator[Service]:
    """Serve until the block ends; connections stay open between requests."""
    told = Service() if service is None else service

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.requests.append((self.path, dict(self.headers), body))
            action = told.script.popleft() if told.script else told.always
            time.sleep(told.delay)
            if told.refused is not None and any(told.refused in text for text in told.texts[-1]):
                action = 400, {}, b'{"error": {"message": "too long"}}'
            if action == "hang up":
                self.connection.close()
                self.close_connection = True
                return
            answer = told.answer(self.path, body) if self.path in PATHS else None
            status, headers, sent = _sent(action, answer)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(sent), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


PATHS = ("/v1/embeddings", "/api/embed", "/embed")


def _sent(action: Any, answer: Any) -> tuple[int, dict[str, object], bytes]:
    if answer is None:
        return 404, {}, b'{"error": "no such path"}'
    if isinstance(action, int):
        return action, {}, b'{"error": {"message": "not now"}}'
    if isinstance(action, tuple):
        status, headers, sent = action
        return status, headers, sent
    if callable(action):
        change: Callable[[Any], bytes] = action
        return 200, {}, change(answer)
    return 200, {}, json.dumps(answer).encode()
