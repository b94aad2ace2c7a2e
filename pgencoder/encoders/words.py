"""The encoder of collections that store words and no vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pgencoder.types import Dims, Encoding, Fingerprint

NO_MODEL = "none"  # its name, where the name of a model is given


class WordsOnly:
    """An encoder without a model: it makes no vectors, so passages are found by their words alone."""

    fingerprint: ClassVar[Fingerprint] = {"encoder": NO_MODEL, "model": NO_MODEL}
    dims = Dims(0, 0)

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return an encoding without vectors for each text."""
        return [_nothing() for _ in texts]

    def encode_query(self, text: str) -> Encoding:
        """Return an encoding with the words of the query and without vectors."""
        return Encoding(_nothing().dense, text=text)


def _nothing() -> Encoding:
    return Encoding(np.empty(0, dtype=np.float32))
