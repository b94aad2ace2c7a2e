"""Encoders of services, on a real server of the tests' own that speaks the protocols and misbehaves."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgencoder
from pgencoder import encoders
from pgencoder.encoders import http
from pgencoder.encoders.services import service as read
from pgencoder.errors import EncoderError, EncoderUnavailable, InvalidEncoding, InvalidRequest, PgencoderError
from tests.embedding_service import DIMS, Service, serving
from tests.encoder import WordEncoder

ROOT = Path(__file__).parents[2]
CANARY = "sk-canary-5f1e"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that encoders would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(http, "sleep", waited.append)
    return waited


def names(server: Service) -> list[str]:
    return ["openai:small", "ollama:nomic", f"tei:{server.url}", f"{server.url}/v1#own/model"]


def loaded(server: Service, model: str = "openai:small") -> pgencoder.Encoder:
    """An encoder whose first request is forgotten."""
    encoder = pgencoder.load_encoder(model)
    server.requests.clear()
    return encoder


@pytest.mark.parametrize("which", range(4))
def test_the_protocols(server: Service, which: int) -> None:
    name = names(server)[which]
    encoder = loaded(server, name)
    assert encoder.dims == pgencoder.Dims(DIMS, 0)
    texts = [f"number {i}" for i in range(40)]
    found = encoder.encode_documents(texts)
    assert [len(each) for each in server.texts] == [32, 8]
    words = WordEncoder()
    for encoding, text in zip(found, texts, strict=True):
        np.testing.assert_allclose(encoding.dense, words.encode_query(text).dense, rtol=1e-6)
    np.testing.assert_allclose(encoder.encode_query("red fox").dense, words.encode_query("red fox").dense, rtol=1e-6)
    assert encoder.encode_documents([]) == []
    paths = {path for path, _, _ in server.requests}
    assert paths == {["/v1/embeddings", "/api/embed", "/embed", "/v1/embeddings"][which]}
    models = {body.get("model") for _, _, body in server.requests}
    assert models == {["small", "nomic", None, "own/model"][which]}
    server.requests.clear()
    again = encoders.load_stored(json.loads(json.dumps(encoder.fingerprint)))
    assert (again.dims, again.fingerprint) == (encoder.dims, encoder.fingerprint)
    assert server.requests == [], "a worker sends no request to load it"
    assert encoders.loaded_by_workers(encoder.fingerprint)


def test_prefixes_and_dimensions(server: Service) -> None:
    encoder = loaded(server, "ollama:nomic?query=search_query: &document=search_document:%20&dimensions=16")
    assert encoder.dims == pgencoder.Dims(16, 0)
    encoder.encode_documents(["red", "fox"])
    encoder.encode_query("red")
    assert server.texts == [["search_document: red", "search_document: fox"], ["search_query: red"]]
    assert {body["dimensions"] for _, _, body in server.requests} == {16}


def test_many_characters_are_several_requests(server: Service) -> None:
    encoder = loaded(server)
    encoder.encode_documents(["a" * 150_000, "b" * 60_000, "c", "d" * 300_000])
    assert [[text[0] for text in each] for each in server.texts] == [["a"], ["b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("openai:", "names no model"),
        ("ollama: ", "names no model"),
        ("http://127.0.0.1:1/v1", "names no model"),
        ("http:127.0.0.1#x", "the URL of a model is wrong"),
        ("tei:127.0.0.1:8080", "the URL of a model is wrong"),
        ("tei:http://127.0.0.1:99999", "the URL of a model is wrong"),
        ("https://me:hidden@host/v1#x", "may have no user, no password"),
        ("https://hidden@host/v1#x", "may have no user, no password"),
        ("tei:http://me:hidden@host", "may have no user, no password"),
        ("https://host/v1?api_key=hidden#x", "and no query"),
        ("tei:http://host?api_key=hidden", "the options of 'tei:http://host' are wrong"),
        ("openai:x?dimensions=many", "dimensions=NUMBER"),
        ("openai:x?dimensions=0", "dimensions=NUMBER"),
        ("openai:x?query", "the options of 'openai:x' are wrong"),
    ],
)
def test_names_that_are_wrong(name: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        pgencoder.load_encoder(name)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("", "http://127.0.0.1:11434/api/embed"),
        ("gpu", "http://gpu:11434/api/embed"),
        ("0.0.0.0:7", "http://127.0.0.1:7/api/embed"),
        ("[::1]", "http://[::1]:11434/api/embed"),
        ("[::1]:8", "http://[::1]:8/api/embed"),
        ("http://gpu/", "http://gpu/api/embed"),
        ("http://gpu:11434/behind/", "http://gpu:11434/behind/api/embed"),
        ("https://gpu.example", "https://gpu.example/api/embed"),
    ],
)
def test_the_address_of_ollama(monkeypatch: pytest.MonkeyPatch, host: str, endpoint: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert read("ollama:nomic").endpoint() == endpoint


def test_an_address_with_a_password(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = loaded(server)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hidden@host/v1")
    with pytest.raises(EncoderUnavailable, match="openai:small: the URL in OPENAI_BASE_URL may have no user") as caught:
        encoder.encode_query("red")
    assert "hidden" not in str(caught.value)


def test_another_address_is_the_same_encoder(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    one = loaded(server)
    with serving() as other:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{other.url}/v1")
        assert encoders.same_encoder(one.fingerprint, pgencoder.load_encoder("openai:small").fingerprint)
        one.encode_query("red")
        assert len(other.requests) == 2
    assert server.requests == []
    assert not encoders.same_encoder(one.fingerprint, {**one.fingerprint, "model": "openai:large"})


def test_what_passes_is_tried_again(server: Service, waits: list[float]) -> None:
    encoder = loaded(server)
    server.script.extend([500, "hang up", (429, {"Retry-After": "3"}, b"")])
    assert len(encoder.encode_documents(["red"])) == 1
    assert len(server.requests) == 4
    assert waits[2] == 3
    assert max(waits[:2]) <= 1
    in_two = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.script.append((503, {"Retry-After": in_two}, b""))
    encoder.encode_documents(["red"])
    assert 0 < waits[-1] <= 2


@pytest.mark.parametrize("said", ["soon", "-1", "nan", "inf", "Thu, 99 Foo 2026", "1" * 400, "-0"])
def test_a_retry_after_that_is_no_time(server: Service, waits: list[float], said: str) -> None:
    encoder = loaded(server)
    server.script.append((429, {"Retry-After": said}, b""))
    if said.startswith("1"):
        with pytest.raises(EncoderUnavailable) as caught:
            encoder.encode_documents(["red"])
        assert caught.value.retry_after == http.LONGEST_WAIT_SECONDS
    else:
        encoder.encode_documents(["red"])
        assert 0 <= waits[0] <= 1


def test_who_waits_long_waits_elsewhere(server: Service, waits: list[float]) -> None:
    encoder = loaded(server)
    server.always = (429, {"Retry-After": "30"}, b'{"error": {"message": "rate limit"}}')
    with pytest.raises(EncoderUnavailable, match=r"openai:small at http.*: status 429: .*rate limit") as caught:
        encoder.encode_documents(["red"])
    assert caught.value.retry_after == 30
    assert (waits, len(server.requests)) == ([], 1)


def test_a_service_that_is_down_is_asked_once_until_it_is_back(server: Service, waits: list[float]) -> None:
    encoder = loaded(server)
    server.always = 502
    for count in (4, 5, 6):
        with pytest.raises(EncoderUnavailable, match="status 502"):
            encoder.encode_documents(["red"])
        assert len(server.requests) == count
    with pytest.raises(EncoderUnavailable):
        encoder.encode_query("red")
    assert len(server.requests) == 7
    server.always = None
    encoder.encode_query("red")
    server.script.append(500)
    encoder.encode_query("red")
    assert len(server.requests) == 10


def test_nobody_listens(server: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = loaded(server)
    with serving() as other:
        gone = other.url
    monkeypatch.setenv("OPENAI_BASE_URL", f"{gone}/v1")
    with pytest.raises(EncoderUnavailable, match=f"openai:small does not answer at {gone}/v1/embeddings"):
        encoder.encode_documents(["red"])
    assert len(waits) == 3


def test_a_server_that_was_restarted(server: Service, waits: list[float]) -> None:
    """The connection that is kept is closed by then."""
    with serving() as other:
        encoder = pgencoder.load_encoder(f"tei:{other.url}")
        port = int(other.url.rpartition(":")[2])
    with serving(port):
        assert len(encoder.encode_documents(["red"])) == 1


def test_a_slow_answer(server: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = loaded(server)
    monkeypatch.setitem(http.PATIENCE, "query", http.Patience(1, 0.1, 2, 2))
    server.delay = 0.3
    with pytest.raises(EncoderUnavailable, match=r"does not answer at .*ReadTimeout"):
        encoder.encode_query("red")
    assert len(server.requests) == 2
    server.delay = 0
    encoder.encode_query("red")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_text_that_is_refused(server: Service, waits: list[float], status: int) -> None:
    encoder = loaded(server)
    server.script.append(status)
    with pytest.raises(EncoderError, match=f"status {status}: .*not now") as caught:
        encoder.encode_documents(["red"])
    assert not isinstance(caught.value, EncoderUnavailable)
    assert waits == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused(server: Service, waits: list[float], status: int) -> None:
    server.always = status
    variables = ["OPENAI_API_KEY", "OLLAMA_API_KEY", "PGENCODER_API_KEY", "PGENCODER_API_KEY"]
    for name, variable in zip(names(server), variables, strict=True):
        with pytest.raises(EncoderUnavailable, match=f"status {status}; set {variable} to a key"):
            pgencoder.load_encoder(name)
    assert waits == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no\\nquota", "code": 7}}', "no quota"),
        (b'{"error": "no quota"}', "no quota"),
        (b'{"object": "error", "message": "no quota"}', "no quota"),
        (b'{"detail": "no quota"}', "no quota"),
        (b'{"detail": [{"msg": "no quota"}]}', '{"detail": [{"msg": "no quota"}]}'),
        (b"<h1>no quota</h1>", "<h1>no quota</h1>"),
        (b"", "an empty answer"),
        (b"x" * 100_000, "x" * 200),
    ],
)
def test_what_a_service_says_is_in_the_error(server: Service, waits: list[float], body: bytes, said: str) -> None:
    server.always = (400, {}, body)
    with pytest.raises(EncoderError) as caught:
        pgencoder.load_encoder("openai:small")
    assert str(caught.value) == f"openai:small at {server.url}/v1/embeddings: status 400: {said}"


@pytest.mark.parametrize("status", [301, 404, 418])
def test_another_status(server: Service, waits: list[float], status: int) -> None:
    server.always = (status, {"Location": "http://127.0.0.1:1/"}, b'{"error": "model \'small\' not found"}')
    with pytest.raises(EncoderUnavailable, match=f"status {status}: .*'small' not found"):
        pgencoder.load_encoder("openai:small")
    assert waits == []


def dumped(change: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    return lambda answer: json.dumps(change(answer)).encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda answer: json.dumps(answer).encode()[:-9], "returned no vectors"),
        (lambda answer: b"", "returned no vectors: an empty answer"),
        (lambda answer: b"\xff\xfe<html>", "returned no vectors"),
        (dumped(lambda answer: []), "returned no vectors"),
        (dumped(lambda answer: "embeddings"), "returned no vectors"),
        (dumped(lambda answer: {"data": None}), "returned no vectors"),
        (dumped(lambda answer: {"data": answer["data"][-1:]}), r"shape \(2, 32\), got shape \(1, 32\)"),
        (dumped(lambda answer: {"data": answer["data"] + answer["data"][:1]}), "returned no vectors"),
        (dumped(lambda answer: {"data": [{**each, "index": 0} for each in answer["data"]]}), "returned no vectors"),
        (
            dumped(lambda answer: {"data": [{**each, "embedding": each["embedding"][:31]} for each in answer["data"]]}),
            r"shape \(2, 32\), got shape \(2, 31\)",
        ),
        (
            dumped(
                lambda answer: {
                    "data": [{**each, "embedding": each["embedding"][each["index"] :]} for each in answer["data"]]
                }
            ),
            "2 vectors of the same length",
        ),
        (
            dumped(lambda answer: {"data": [{**each, "embedding": [float("nan")] * 32} for each in answer["data"]]}),
            "returned NaN or infinity",
        ),
        (
            dumped(lambda answer: {"data": [{**each, "embedding": [1e300] * 32} for each in answer["data"]]}),
            "returned NaN or infinity",
        ),
        (
            dumped(lambda answer: {"data": [{**each, "embedding": [None] * 32} for each in answer["data"]]}),
            "returned NaN or infinity",
        ),
    ],
)
def test_an_answer_that_is_wrong(server: Service, body: Callable[[Any], bytes], message: str) -> None:
    encoder = loaded(server)
    server.script.append(body)
    with pytest.raises(InvalidEncoding, match=message):
        encoder.encode_documents(["red", "fox"])
    assert len(encoder.encode_documents(["red", "fox"])) == 2


def test_several_threads(server: Service) -> None:
    encoder = loaded(server)
    server.delay = 0.01
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(encoder.encode_query, [f"number {i}" for i in range(80)]))
    for i, each in enumerate(found):
        np.testing.assert_allclose(each.dense, WordEncoder().encode_query(f"number {i}").dense, rtol=1e-6)


def test_a_fork_in_the_middle_of_a_request(server: Service) -> None:
    """The child has connections to itself, and waits for no lock of its parent's threads."""
    encoder = loaded(server)
    server.delay = 0.2
    asking = threading.Thread(target=encoder.encode_query, args=["red"])
    asking.start()
    child = os.fork()
    if child == 0:
        found = encoder.encode_query("fox").dense
        os._exit(0 if np.allclose(found, WordEncoder().encode_query("fox").dense, rtol=1e-6) else 1)
    asking.join()
    assert os.waitpid(child, 0)[1] == 0


def shown(caught: pytest.ExceptionInfo[BaseException]) -> str:
    """All that programs log of an error: its texts, and the local variables of our functions."""
    errors, texts = [caught.value], []
    while errors:
        error = errors.pop()
        errors += [each for each in (error.__cause__, error.__context__) if each is not None]
        texts += [repr(error), str(error), repr(error.args)]
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if Path(frame.f_code.co_filename).is_relative_to(ROOT / "pgencoder"):
                texts.append(repr(frame.f_locals))
    return "\n".join(texts)


def test_a_url_gets_a_key_only_if_its_host_is_named(
    server: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may attach chooses the URL: he must not get the worker's key by it."""
    for variable in ("OPENAI_API_KEY", "OLLAMA_API_KEY", "PGENCODER_API_KEY"):
        monkeypatch.setenv(variable, CANARY)
    host, port = server.url.removeprefix("http://").split(":")
    for hosts, sent in (
        ("", False),
        ("other", False),
        (f"{host}:1", False),
        (f"other,{host}", True),
        (f"{host}:{port}", True),
    ):
        monkeypatch.setenv("PGENCODER_API_HOSTS", hosts)
        for name in names(server):
            server.requests.clear()
            loaded(server, name).encode_documents(["red"])
            given = ["Authorization" in headers for _, headers, _ in server.requests]
            assert given == [sent or "http" not in name] * len(given), (hosts, name)


def test_no_key_is_seen(
    server: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for variable in ("OPENAI_API_KEY", "OLLAMA_API_KEY", "PGENCODER_API_KEY"):
        monkeypatch.setenv(variable, f"{CANARY}\n")
    monkeypatch.setenv("PGENCODER_API_HOSTS", f"other:1, {server.url.removeprefix('http://')}")
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"error": {"message": f"Incorrect API key provided: {CANARY}."}}).encode()
    seen: list[str] = []
    for name in names(server):
        encoder = loaded(server, name)
        encoder.encode_documents(["red"])
        assert {headers["Authorization"] for _, headers, _ in server.requests} == {f"Bearer {CANARY}"}
        seen += [repr(encoder), repr(encoder.fingerprint), repr(vars(encoder))]
        answers: list[Any] = [(status, {}, echo) for status in (400, 401, 403, 404, 429, 500, 503)]
        for action in [*answers, lambda _: echo, "hang up"]:
            server.always = action
            with pytest.raises(PgencoderError) as caught:
                encoder.encode_documents(["red"])
            seen.append(shown(caught))
        server.always = None
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY}\nx")
    with pytest.raises(EncoderUnavailable, match="OPENAI_API_KEY has characters that no key has") as caught_last:
        pgencoder.load_encoder("openai:small")
    seen.append(shown(caught_last))
    seen += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert caplog.records, "httpx logs too"
    assert not [each for each in seen if CANARY in each]


def test_without_a_key_no_header_is_sent(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    pgencoder.load_encoder("openai:small")
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize("checkpointed", ["colbert", "bert", "sbert"])
def test_token_vectors_of_a_second_model(server: Service, checkpoint: Callable[[str], str], checkpointed: str) -> None:
    path = checkpoint(checkpointed)
    encoder = pgencoder.load_encoder("openai:small", path)
    local = pgencoder.load_encoder(checkpoint("sbert"), path)
    assert encoder.dims == pgencoder.Dims(DIMS, local.dims.tokens)
    for one, other in (
        (encoder.encode_documents(["red fox", "a"])[1], local.encode_documents(["red fox", "a"])[1]),
        (encoder.encode_query("red"), local.encode_query("red")),
    ):
        np.testing.assert_allclose(one.tokens, other.tokens, atol=1e-6)
    assert isinstance(encoder, encoders.Explaining)
    assert isinstance(local, encoders.Explaining)
    assert encoder.pieces("red fox", "query") == local.pieces("red fox", "query")
    assert len(encoders.windows_of(encoder)) == 1
    of_tokens = {name: each for name, each in local.fingerprint.items() if name.startswith("token_")}
    assert of_tokens.items() <= encoder.fingerprint.items()
    again = encoders.load_stored(json.loads(json.dumps(encoder.fingerprint)))
    assert encoders.same_encoder(again.fingerprint, encoder.fingerprint)
    assert repr(encoder) == f"HttpEncoder('openai:small', {path!r})"
    with pytest.warns(UserWarning, match="the query has 60 tokens") as caught:
        encoder.encode_query("a " * 60)
    assert caught[0].filename == __file__


def test_no_sparse_model_stands_beside(server: Service) -> None:
    with pytest.raises(InvalidRequest, match="takes no sparse_model"):
        pgencoder.load_encoder("openai:small", sparse_model="splade")


def test_without_httpx_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['httpx'] = None; import pgencoder; pgencoder.load_encoder('openai:small')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "MissingExtra: models of services need httpx; install it: pip install 'pgencoder[http]'" in done.stderr
