"""A deterministic encoder: a word's vector is drawn from its hash, a text's dense vector is their mean."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from pgencoder import Dims, Encoding
from pgencoder.types import Fingerprint, Matrix


class WordEncoder:
    """Fast, without a model, and searchable: texts that share words are near each other."""

    def __init__(self, dims: Dims = Dims(32, 16), name: str = "words") -> None:  # noqa: B008
        self.dims = dims
        self.fingerprint: Fingerprint = {"model": name, "dims": [dims.dense, dims.tokens]}
        self.encoded: list[str] = []

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.encoded.extend(texts)
        return [self.encode_query(text) for text in texts]

    def encode_query(self, text: str) -> Encoding:
        words = text.lower().split() or [""]
        dense = np.mean([self._vector(word, self.dims.dense) for word in words], axis=0)
        return Encoding(dense, np.stack([self._vector(word, self.dims.tokens) for word in words]))

    @staticmethod
    def _vector(word: str, dims: int) -> Matrix:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(dims)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
