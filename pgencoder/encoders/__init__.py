"""Encoders turn a text into a dense vector and token vectors. Nothing here knows a database.

torch is imported when an encoder is loaded, not before.
"""

from pgencoder.encoders.base import (
    DEFAULT_MODEL,
    UNKNOWN,
    Encoder,
    Explaining,
    Kind,
    Piece,
    Placed,
    Reranker,
    Window,
    Windowed,
    check_fingerprint,
    comparable,
    model_names,
    query_text,
    same_encoder,
    windows_of,
)
from pgencoder.encoders.dense import DenseEncoder
from pgencoder.encoders.loading import (
    HTTP,
    SENTENCE_TRANSFORMERS,
    canonical,
    load,
    load_reranker,
    load_stored,
    loaded_by_workers,
    register_encoder,
    shared,
    shared_reranker,
)
from pgencoder.encoders.words import NO_MODEL

__all__ = [
    "DEFAULT_MODEL",
    "HTTP",
    "NO_MODEL",
    "SENTENCE_TRANSFORMERS",
    "UNKNOWN",
    "DenseEncoder",
    "Encoder",
    "Explaining",
    "Kind",
    "Piece",
    "Placed",
    "Reranker",
    "Window",
    "Windowed",
    "canonical",
    "check_fingerprint",
    "comparable",
    "load",
    "load_reranker",
    "load_stored",
    "loaded_by_workers",
    "model_names",
    "query_text",
    "register_encoder",
    "same_encoder",
    "shared",
    "shared_reranker",
    "windows_of",
]
