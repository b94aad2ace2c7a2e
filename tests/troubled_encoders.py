"""Encoders that fail, or that something happens to while they encode."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pgencoder import Encoding
from tests.encoder import WordEncoder

MARKER = "poison"


class Poisoned(WordEncoder):
    """Raises for every call in which a text has the marker."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        self.calls.append(list(texts))
        if any(MARKER in text for text in texts):
            raise RuntimeError("cannot\nread this")
        return super().encode_documents(texts)


class Interrupted(WordEncoder):
    """Calls something in the middle of the first batch it encodes."""

    def __init__(self, during: Callable[[], object]) -> None:
        super().__init__()
        self.during: Callable[[], object] | None = during

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        during, self.during = self.during, None
        if during is not None:
            during()
        return super().encode_documents(texts)
