"""Models: text in, a dense vector and token vectors out. Nothing here knows a database.

torch is imported when an encoder is loaded, not before.
"""

from pgencoder.encoders.base import (
    DEFAULT_MODEL,
    UNKNOWN,
    Encoder,
    Kind,
    Piece,
    Window,
    check_fingerprint,
    comparable,
    model_names,
    query_text,
    same_encoder,
)
from pgencoder.encoders.dense import DenseEncoder
from pgencoder.encoders.load import canonical, load, load_stored, shared

__all__ = [
    "DEFAULT_MODEL",
    "UNKNOWN",
    "DenseEncoder",
    "Encoder",
    "Kind",
    "Piece",
    "Window",
    "canonical",
    "check_fingerprint",
    "comparable",
    "load",
    "load_stored",
    "model_names",
    "query_text",
    "same_encoder",
    "shared",
]
