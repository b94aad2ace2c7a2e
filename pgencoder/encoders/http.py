"""The encoder of a model that a service offers by HTTP: OpenAI and what speaks its protocol, Ollama, TEI.

Keys are read from the environment for each request, and are in no error: errors are made without the request.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING

from pgencoder.encoders.base import Kind, Piece
from pgencoder.encoders.dense import checked
from pgencoder.encoders.loading import HTTP
from pgencoder.encoders.services import HOSTS_OF_KEY, Service, reason, service
from pgencoder.errors import EncoderError, EncoderUnavailable, InvalidEncoding, InvalidRequest, MissingExtra
from pgencoder.types import Dims, Encoding, Fingerprint, Matrix

try:
    import httpx
except ImportError as error:
    raise MissingExtra("models of services need httpx; install it: pip install 'pgencoder[http]'") from error

if TYPE_CHECKING:
    from pgencoder.encoders.tokens import TokenModel

# of one request: TEI takes no more texts, and OpenAI 300,000 tokens
MOST_TEXTS = 32
MOST_CHARACTERS = 200_000
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 60.0  # whatever a service asks for

sleep = time.sleep


@dataclass(frozen=True)
class Patience:
    """Seconds to connect and to read, how often a request is sent, and the seconds until it is not sent again."""

    connect: float
    read: float
    attempts: int
    seconds: float


PATIENCE: dict[Kind, Patience] = {"document": Patience(5, 60, 4, 10), "query": Patience(2, 10, 2, 2)}


class HttpEncoder:
    """Makes dense vectors by a service, see `pgencoder.load_encoder`. Without `dims` a text is embedded to find them.

    With a `token_model`, a checkpoint that is loaded here, it makes token vectors too.

    A request that fails by the network or the service is sent again, but not for long: who encodes much waits by
    itself. After such a failure, until the next success, it is sent once.

    Several threads may encode at once, and processes may fork.
    """

    def __init__(
        self, model: str, token_model: str | None = None, *, dims: int | None = None, device: str | None = None
    ) -> None:
        self._service = service(model)
        self._names = [model] if token_model is None else [model, token_model]
        self._down = False
        dense = self._embed("document", ["probe"], None).shape[1] if dims is None else dims
        self._tokens = None if token_model is None else _load_tokens(token_model, device)
        self.windows = () if self._tokens is None else (self._tokens.window,)
        self.dims = Dims(dense, 0 if self._tokens is None else self._tokens.dims)
        self.fingerprint: Fingerprint = {
            "encoder": HTTP,
            "protocol": self._service.protocol,
            "model": self._service.name,
            "token_model": None if self._tokens is None else self._tokens.name,
            "dims": {"dense": self.dims.dense, "tokens": self.dims.tokens},
            **({} if self._tokens is None else self._tokens.describe()),
        }

    def __repr__(self) -> str:
        return f"HttpEncoder({', '.join(map(repr, self._names))})"

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding for each text: dense of shape (d,), tokens of shape (n, t).

        Raises EncoderUnavailable if the service does not answer, InvalidEncoding if its answer is wrong, and
        EncoderError if it refuses the texts.
        """
        dense = [vector for batch in _batches(texts) for vector in self._embed("document", batch, self.dims.dense)]
        if self._tokens is None:
            return [Encoding(vector) for vector in dense]
        return [Encoding(*each) for each in zip(dense, self._tokens.documents(texts), strict=True)]

    def encode_query(self, text: str) -> Encoding:
        """Return the encoding of a query; raises the same errors, and waits less."""
        (dense,) = self._embed("query", [text], self.dims.dense)
        if self._tokens is None:
            return Encoding(dense)
        self._tokens.warn_if_cut(text)
        return Encoding(dense, self._tokens.query(text))

    def pieces(self, text: str, kind: Kind) -> Sequence[Piece]:
        """Return the piece of text that each row of the tokens stands for."""
        return () if self._tokens is None else self._tokens.pieces(text, kind)

    def _embed(self, kind: Kind, texts: Sequence[str], dims: int | None) -> Matrix:
        """Return the vectors of texts, shape (n, dims)."""
        response = self._send(kind, texts)
        found = None
        with suppress(ValueError, LookupError, TypeError):  # no JSON, or another one
            found = self._service.vectors(response.json())
        if found is None:
            said = _shortened(self._service, response)
            raise InvalidEncoding(f"{self._service.name} returned no vectors: {said}")
        return checked(self._service.name, found, len(texts), dims)

    def _send(self, kind: Kind, texts: Sequence[str]) -> httpx.Response:
        """Send a request until the service answers it; raises EncoderUnavailable if it does not."""
        patience = PATIENCE[kind]
        end = time.monotonic() + patience.seconds
        for more in reversed(range(1 if self._down else patience.attempts)):
            try:
                response = _post(self._service, kind, texts)
            except _Passing as failure:
                wait = failure.retry_after
                if wait is None:
                    wait = FIRST_WAIT_SECONDS * 2 ** (patience.attempts - more) * random.random()  # noqa: S311 - jitter
                if not more or time.monotonic() + wait > end:
                    self._down = True
                    raise EncoderUnavailable(str(failure), failure.retry_after) from None
                sleep(wait)
            except EncoderUnavailable:
                self._down = True
                raise
            else:
                break
        self._down = False
        return response


class _Passing(Exception):
    """A failure that may pass, in `retry_after` seconds if the service says so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _Key(httpx.Auth):
    """Adds the key to a request when it is sent; no variable of ours has it before."""

    def __init__(self, asked: Service) -> None:
        self._asked = asked

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._asked.may_have_key(request.url.netloc.decode()) and _key(self._asked.key_variable):
            request.headers["Authorization"] = f"Bearer {_key(self._asked.key_variable)}"
        yield request


def _key(variable: str) -> str:
    # no local variable has it where an error is raised, because some programs log those
    if not all("!" <= each <= "~" for each in os.environ.get(variable, "").strip()):
        raise EncoderUnavailable(f"{variable} has characters that no key has; set it again")
    return os.environ.get(variable, "").strip()


@cache
def _client(_process: int) -> httpx.Client:
    """Return the client of a process: a forked child must not use its parent's connections."""
    return httpx.Client()


def _post(asked: Service, kind: Kind, texts: Sequence[str]) -> httpx.Response:
    """Send one request and return its answer; raises _Passing, EncoderUnavailable, or EncoderError for the texts."""
    patience = PATIENCE[kind]
    try:
        url = asked.endpoint()
    except InvalidRequest as error:  # the environment is wrong, and no text
        raise EncoderUnavailable(f"{asked.name}: {error}") from None
    try:
        response = _client(os.getpid()).post(
            url,
            json=asked.body(kind, texts),
            auth=_Key(asked),
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
        )
    except httpx.RequestError as error:
        why = f"{type(error).__name__}: {error}"
        raise _Passing(f"{asked.name} does not answer at {url} ({why})") from None
    if response.is_success:
        return response
    status = response.status_code
    failure = f"{asked.name} at {url}: status {status}"
    if status in (401, 403):
        hosts = "" if asked.url is None else f", and name the host in {HOSTS_OF_KEY}"
        raise EncoderUnavailable(
            f"{failure}; set {asked.key_variable} to a key that it accepts{hosts}, where this runs"
        )
    failure += f": {_shortened(asked, response)}"
    if status in (400, 413, 422):
        raise EncoderError(failure)
    if status in (408, 425, 429) or status >= 500:
        raise _Passing(failure, _retry_after(response))
    raise EncoderUnavailable(failure)


def _retry_after(response: httpx.Response) -> float | None:
    """Return how many seconds a service asks to wait, at most a minute; None if it does not say."""
    said = response.headers.get("Retry-After", "")
    try:
        date = parsedate_to_datetime(said) if not said.replace(".", "", 1).isdecimal() else None
        seconds = float(said) if date is None else (date - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _shortened(asked: Service, response: httpx.Response) -> str:
    """Return what a service says is wrong on one line, without the key, which some services repeat."""
    text, key = response.text, _key(asked.key_variable)
    with suppress(ValueError):
        text = reason(response.json()) or text
    if key:
        text = text.replace(key, "***")
    return " ".join(text[:1000].split())[:200] or "an empty answer"


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts, as many at a time as a request takes."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        characters += len(text)
        if batch and (len(batch) == MOST_TEXTS or characters > MOST_CHARACTERS):
            yield batch
            batch, characters = [], len(text)
        batch.append(text)
    if batch:
        yield batch


def _load_tokens(name: str, device: str | None) -> TokenModel:
    from pgencoder.encoders.tokens import TokenModel  # here, because it imports torch

    return TokenModel(name, device)


@cache
def stored(model: str, token_model: str | None, dims: int, device: str | None) -> HttpEncoder:
    """Return the encoder of a stored fingerprint, once in this process; it sends no request."""
    return HttpEncoder(model, token_model, dims=dims, device=device)
