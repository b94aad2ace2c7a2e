"""The encoder of any embedding function: one dense vector for each text, and no token vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgencoder.errors import InvalidEncoding, InvalidRequest
from pgencoder.types import Dims, Encoding, Fingerprint, Matrix

EmbedDocuments = Callable[[list[str]], Sequence[Sequence[float]] | NDArray[Any]]
EmbedQuery = Callable[[str], Sequence[float] | NDArray[Any]]


class DenseEncoder:
    """Makes an `Encoder` of a function, such as a service's client, for collections with dense vectors only.

    `embed_documents` takes n texts and returns n vectors, shape (n, dims). `embed_query` takes a query and returns one
    vector, shape (dims,); without it `embed_documents` embeds queries too. Vectors of the same `name` and `dims` count
    as comparable, so give another name with each change of the model. Without `dims` a text is embedded to find them.
    Every row is one passage. Several threads may call the functions at once.

    Raises InvalidEncoding, also later, if the functions return something else.
    """

    def __init__(
        self,
        embed_documents: EmbedDocuments,
        embed_query: EmbedQuery | None = None,
        *,
        name: str,
        dims: int | None = None,
    ) -> None:
        if not name:
            raise InvalidRequest("an encoder needs a name, which is stored to tell its vectors from others")
        if dims is not None and (isinstance(dims, bool) or not isinstance(dims, int) or dims < 1):
            raise InvalidRequest(f"dims must be an integer of at least 1, got {dims!r}")
        self._name = name
        self._embed_documents = embed_documents
        self._embed_query = embed_query
        self.dims = Dims(dense=self._documents(["probe"], dims).shape[1] if dims is None else dims, tokens=0)

    def __repr__(self) -> str:
        return f"DenseEncoder({self._name!r}, dims={self.dims.dense})"

    @property
    def fingerprint(self) -> Fingerprint:
        """The name and the dimensions, as JSON values."""
        dims = {"dense": self.dims.dense, "tokens": self.dims.tokens}
        return {"encoder": "function", "model": self._name, "dims": dims}

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding for each text: dense of shape (dims,), no tokens."""
        return [Encoding(vector) for vector in self._documents(texts, self.dims.dense)] if texts else []

    def encode_query(self, text: str) -> Encoding:
        """Return the encoding of a query."""
        if self._embed_query is None:
            return self.encode_documents([text])[0]
        return Encoding(checked(self._name, [self._embed_query(text)], 1, self.dims.dense)[0])

    def _documents(self, texts: Sequence[str], dims: int | None) -> Matrix:
        return checked(self._name, self._embed_documents(list(texts)), len(texts), dims)


def checked(name: str, returned: Any, count: int, dims: int | None) -> Matrix:
    """Return what an embedding function returned as a matrix of shape (count, dims); raises InvalidEncoding."""
    try:
        with np.errstate(over="ignore"):  # a number too large for float32 becomes infinity, which is refused below
            vectors = np.asarray(returned, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidEncoding(
            f"{name} must return numbers, {count} vectors of the same length, got"
            f" {type(returned).__name__}: {' '.join(str(error).split())}"
        ) from error
    if not (vectors.ndim == 2 and vectors.size and vectors.shape == (count, dims or vectors.shape[1])):
        raise InvalidEncoding(
            f"{name} must return vectors of shape ({count}, {dims or 'dims'}), got shape {vectors.shape}"
        )
    if not np.isfinite(vectors).all():
        raise InvalidEncoding(f"{name} returned NaN or infinity")
    return vectors
