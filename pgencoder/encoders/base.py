"""Defines an encoder, the protocols of what it may offer, and when two encoders are the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pgencoder.errors import FingerprintMismatch, InvalidRequest
from pgencoder.plain import short_repr
from pgencoder.types import Dims, Encoding, Fingerprint

Kind = Literal["query", "document"]

UNKNOWN = ("[UNK]", "<unk>")  # the names of a token that is not in the vocabulary

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@runtime_checkable
class Encoder(Protocol):
    """Makes a dense vector of a text; token vectors unless `dims.tokens` is 0; a sparse one unless `dims.sparse` is 0.

    An encoder may offer more by other protocols: the long rows of a `Windowed` encoder are split, an `Explaining` one
    lets explanations name words, and a `Placed` one lets `status` show its device.
    """

    @property
    def fingerprint(self) -> Fingerprint:
        """The JSON values that must be equal for two encodings to be comparable.

        "model" names the model. "encoder" names the kind of encoder, see `register_encoder`.
        """

    @property
    def dims(self) -> Dims:
        """The dimensions of the vectors that the two methods return."""

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding for each text, in order; tokens of shape (n, dims.tokens), without padding.

        `Encoding.sparse` is a `pgvector.SparseVector` of dims.sparse dimensions, with weights of at least 0.
        """

    def encode_query(self, text: str) -> Encoding:
        """Return the encoding of a query, without special tokens."""


@runtime_checkable
class Windowed(Protocol):
    """An encoder that says how much its models read at once: rows that are longer are split into passages."""

    @property
    def windows(self) -> Sequence[Window]:
        """One `Window` for each model."""


@runtime_checkable
class Explaining(Protocol):
    """An encoder that says which characters its tokens stand for: explanations then name words, not token numbers."""

    def pieces(self, text: str, kind: Kind) -> Sequence[Piece]:
        """Return one `Piece` for each row of the `tokens` of a text, in order; `kind` is "query" or "document"."""


@runtime_checkable
class Placed(Protocol):
    """An encoder that says which device its models run on."""

    @property
    def device(self) -> str:
        """The device, for people: "cpu" or "cuda:1"."""


@runtime_checkable
class Reranker(Protocol):
    """Scores passages by reading each together with the query: for the last few, because it takes long.

    `load_reranker` makes one of a cross-encoder's checkpoint. A service is another: a class with this method.
    """

    def scores(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        """Return one number for each passage, in order: the log-odds that it answers the query, 0 for even odds."""


@short_repr
@dataclass(frozen=True)
class Piece:
    """The token that one row of `Encoding.tokens` stands for.

    `name` is its name in the vocabulary. `span` has its characters [start, end) in the text: empty for white space,
    None for a token that stands for no text, such as [SEP], [MASK] and the tokens of a prompt.
    """

    name: str
    span: tuple[int, int] | None


@short_repr
@dataclass(frozen=True)
class Window:
    """The most that one model reads of a text: `capacity` tokens, without the special ones.

    `tokenizer` is a `tokenizers.Tokenizer`.
    """

    tokenizer: Any = field(repr=False)
    capacity: int


def windows_of(encoder: object) -> Sequence[Window]:
    """Return the windows of an encoder; none if it does not say."""
    return encoder.windows if isinstance(encoder, Windowed) else ()


def query_text(query: object) -> str:
    """Return a query as encoders take it: NUL and half characters (lone surrogates, as of a cut emoji) become U+FFFD.

    Two halves that belong together become their character. Raises InvalidRequest if the query is not text.
    """
    if not isinstance(query, str):
        raise InvalidRequest(f"a query is text, not {type(query).__name__}")
    whole = query.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd")


def model_names(fingerprint: Fingerprint) -> str:
    """Name the models of a fingerprint, for people."""
    names = [str(fingerprint.get("model", "unnamed"))]
    names += [str(fingerprint[other]) for other in ("token_model", "sparse_model") if fingerprint.get(other)]
    return " + ".join(names)


def same_encoder(one: Fingerprint, other: Fingerprint) -> bool:
    """Return True if vectors of the two can be compared.

    Where the weights are known by hash, the path that they were loaded from does not matter.
    """
    # compared as text, because to Python True equals 1
    return json.dumps(comparable(one), sort_keys=True) == json.dumps(comparable(other), sort_keys=True)


def check_fingerprint(stored: Fingerprint, encoder: Fingerprint, where: str) -> None:
    """Raise FingerprintMismatch unless the two are the same encoder; `where` names the collection."""
    if same_encoder(stored, encoder):
        return
    one, other = _as_json(stored), _as_json(encoder)
    differing = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    raise FingerprintMismatch(
        f"{where} was encoded by {model_names(stored)}, not by this {model_names(encoder)}"
        f" (they differ in: {', '.join(differing)}); use the encoder that it was attached with, or attach again"
    )


def comparable(fingerprint: Fingerprint) -> dict[str, Any]:
    """Return the part of a fingerprint that is equal for the same encoder.

    The name of a model whose weights are known by hash is left out. The SQL function `pgencoder._comparable` does the
    same.
    """
    names = {"model": "weights", "token_model": "token_weights", "sparse_model": "sparse_weights"}
    return {name: value for name, value in _as_json(fingerprint).items() if not fingerprint.get(names.get(name, ""))}


def _as_json(fingerprint: Fingerprint) -> dict[str, Any]:
    # as the catalogue returns it: a tuple becomes a list
    plain: dict[str, Any] = json.loads(json.dumps(dict(fingerprint)), parse_float=_number)
    return plain


def _number(text: str) -> float | int:
    """Return the number of a text; to the database 1.0 is 1."""
    number = float(text)
    return int(number) if number.is_integer() else number
