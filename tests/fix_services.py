"""Give a test a service of embeddings, where `openai:` and `ollama:` models are."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.embedding_service import Service, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    from pgencoder.encoders import http

    for cached in (http._client, http.stored):
        cached.cache_clear()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as service:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{service.url}/v1/")
        monkeypatch.setenv("OLLAMA_HOST", service.url.removeprefix("http://"))
        yield service
    http._client(os.getpid()).close()
    http._client.cache_clear()
