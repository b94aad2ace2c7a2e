"""Reads the names of models that services offer, and speaks their protocols. It opens no connection."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pgencoder.encoders.base import Kind
from pgencoder.errors import InvalidRequest

Protocol = Literal["openai", "ollama", "tei"]

FORMS = "openai:NAME, ollama:NAME, tei:URL, or the URL of a server that speaks OpenAI's protocol: http://HOST/v1#NAME"
OPTIONS = ("query", "document", "dimensions")
PATHS: Mapping[Protocol, str] = {"openai": "/embeddings", "ollama": "/api/embed", "tei": "/embed"}
# Variables of the environment with an address, and the address without them
ADDRESSES: Mapping[Protocol, tuple[str, str]] = {
    "openai": ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    "ollama": ("OLLAMA_HOST", "http://127.0.0.1:11434"),
}
KEYS: Mapping[Protocol, str] = {"openai": "OPENAI_API_KEY", "ollama": "OLLAMA_API_KEY"}
KEY_OF_URLS = "PGENCODER_API_KEY"
# The hosts that get this key, because whoever may attach a table chooses the URL that a worker calls
HOSTS_OF_KEY = "PGENCODER_API_HOSTS"


@dataclass(frozen=True)
class Service:
    """A model of a service: `name` is as the user gives it, and `model` as the service knows it.

    Without a `url` the environment has the address. `prefixes` come before queries and documents.
    """

    name: str
    protocol: Protocol
    model: str
    url: str | None = None
    prefixes: Mapping[Kind, str] = field(default_factory=dict)
    dimensions: int | None = None

    @property
    def key_variable(self) -> str:
        """The variable of the environment that has the key."""
        return KEY_OF_URLS if self.url is not None else KEYS[self.protocol]

    def may_have_key(self, netloc: str) -> bool:
        """Return True if the key may be sent to a host, "HOST:PORT" or "HOST": the environment names those of URLs."""
        allowed = os.environ.get(HOSTS_OF_KEY, "").replace(",", " ").split()
        return self.url is None or netloc in allowed or netloc.rpartition(":")[0] in allowed

    def endpoint(self) -> str:
        """Return the URL of requests; raises InvalidRequest if that in the environment is wrong."""
        return (self.url or _address(self.protocol)) + PATHS[self.protocol]

    def body(self, kind: Kind, texts: Sequence[str]) -> dict[str, Any]:
        """Return what a request says, as JSON values."""
        prefix = self.prefixes.get(kind, "")
        given: dict[str, Any] = {"inputs" if self.protocol == "tei" else "input": [prefix + text for text in texts]}
        if self.protocol != "tei":
            given["model"] = self.model
        if self.protocol == "openai":
            given["encoding_format"] = "float"
        else:
            given["truncate"] = True  # as local models do; OpenAI's protocol has no such word
        if self.dimensions is not None:
            given["dimensions"] = self.dimensions
        return given

    def vectors(self, answer: Any) -> Any:
        """Return the vectors of an answer, not checked yet; raises LookupError or TypeError for another answer."""
        if self.protocol == "tei" and isinstance(answer, list):
            return answer
        if self.protocol == "ollama":
            return answer["embeddings"]
        found = sorted(answer["data"], key=lambda each: each["index"])
        if [each["index"] for each in found] != list(range(len(found))):
            raise LookupError("the indexes do not count from 0")
        return [each["embedding"] for each in found]


def reason(answer: Any) -> str | None:
    """Return what a service says is wrong; None if it says that in another way."""
    while isinstance(answer, dict):
        answer = next((answer[name] for name in ("error", "message", "detail") if name in answer), None)
    return answer if isinstance(answer, str) else None


def is_service(name: str) -> bool:
    """Return True if a name is of a service's model."""
    return name.startswith(("openai:", "ollama:", "tei:", "http:", "https:"))


def service(name: str) -> Service:
    """Read the name of a service's model; raises InvalidRequest if it is incomplete, or has a password."""
    kind, _, rest = name.partition(":")
    url = None
    if kind in ("http", "https"):
        url, _, rest = name.partition("#")
    model, _, options = rest.partition("?")
    if kind == "tei":
        url = model
    if url is not None:
        url = checked_url(url, "the URL of a model")
    if not model.strip():
        raise InvalidRequest(f"{name!r} names no model; write {FORMS}")
    given = _options(name, options)
    dimensions = given.pop("dimensions", None)
    prefixes: Mapping[Kind, str] = {"query": given.get("query", ""), "document": given.get("document", "")}
    protocol: Protocol = "tei" if kind == "tei" else "ollama" if kind == "ollama" else "openai"
    return Service(name, protocol, model, url, prefixes, None if dimensions is None else int(dimensions))


def checked_url(url: str, owner: str) -> str:
    """Return a URL without a slash at its end; raises InvalidRequest for one that is wrong, or might have secrets.

    The errors do not repeat it.
    """
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidRequest(f"{owner} is wrong: write it like http://127.0.0.1:8080; a model's name is one of {FORMS}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidRequest(
            f"{owner} may have no user, no password and no query, for it is stored and shown; put a key into the"
            f" environment: {KEY_OF_URLS}, {', '.join(KEYS.values())}"
        )
    return url.rstrip("/")


def _address(protocol: Protocol) -> str:
    variable, default = ADDRESSES[protocol]
    url = os.environ.get(variable, "").strip() or default
    if protocol == "ollama":  # its own server reads this variable too: a host, where it listens
        if "://" not in url:
            url = f"http://{url}" if ":" in url.rpartition("]")[2] else f"http://{url}:11434"
        url = url.replace("//0.0.0.0", "//127.0.0.1")
    return checked_url(url, f"the URL in {variable}")


def _options(name: str, options: str) -> dict[str, str]:
    try:
        given = dict(parse_qsl(options, keep_blank_values=True, strict_parsing=True)) if options else {}
        sound = set(given) <= set(OPTIONS) and int(given.get("dimensions", 1)) > 0
    except ValueError:
        sound = False
    if not sound:
        raise InvalidRequest(
            f"the options of {name.partition('?')[0]!r} are wrong; write ?query=TEXT&document=TEXT for the texts before"
            " queries and documents, and dimensions=NUMBER"
        )
    return given
