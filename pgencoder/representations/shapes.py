"""Checks of the vectors that encoders and callers give."""

from __future__ import annotations

from typing import Any

import numpy as np
from pgvector import SparseVector

from pgencoder.errors import InvalidEncoding, InvalidRequest
from pgencoder.types import Dims, Encoding


def check_query(query: Encoding) -> None:
    """Raise InvalidRequest for a query that no passage can be compared with."""
    if query.dense.ndim != 1 or query.tokens.ndim != 2:
        raise InvalidRequest(
            "a query has a dense vector of shape (d,) and tokens of shape (n, t), got"
            f" {query.dense.shape} and {query.tokens.shape}"
        )
    if not (np.isfinite(query.dense).all() and np.isfinite(query.tokens).all()):
        raise InvalidRequest("the query's vectors hold NaN or infinity; give finite numbers")
    wrong = None if query.sparse is None else _wrong(query.sparse)
    if wrong is not None:
        raise InvalidRequest(f"the sparse vector of the query {wrong}")


def check_encoding(encoding: Encoding, dims: Dims, collection: str) -> Encoding:
    """Return the encoding without what is not stored; raise InvalidEncoding if it has other dimensions, or NaN."""
    if not dims.tokens:
        encoding = Encoding(encoding.dense, sparse=encoding.sparse)
    dense, tokens = np.asarray(encoding.dense), np.asarray(encoding.tokens)
    if dense.shape != (dims.dense,) or tokens.ndim != 2 or tokens.shape[1] != dims.tokens:
        raise InvalidEncoding(
            f"expected a dense vector of {dims.dense} and tokens of {dims.tokens} dimensions, got shapes {dense.shape}"
            f" and {tokens.shape} (collection {collection!r})"
        )
    if not (np.isfinite(dense).all() and np.isfinite(tokens).all()):
        raise InvalidEncoding(f"the encoder returned NaN or infinity ({collection!r})")
    return Encoding(dense, tokens, sparse=_checked(encoding.sparse, dims.sparse, collection) if dims.sparse else None)


def _checked(sparse: SparseVector | None, dims: int, collection: str) -> SparseVector:
    """Return the sparse vector of a passage; raise InvalidEncoding if it is missing or cannot be stored."""
    wrong = "is missing" if sparse is None else _wrong(sparse)
    if sparse is not None and wrong is None and sparse.dimensions() != dims:
        wrong = f"has {sparse.dimensions():,} dimensions, not {dims:,}"
    if sparse is None or wrong is not None:
        raise InvalidEncoding(f"the sparse vector that the encoder returned {wrong} (collection {collection!r})")
    return sparse


def _wrong(sparse: Any) -> str | None:
    """Say what is wrong with a sparse vector of whatever dimensions; None if nothing is."""
    if not isinstance(sparse, SparseVector):
        return f"is no pgvector.SparseVector, but {type(sparse).__name__}"
    weights, terms = np.asarray(sparse.values(), dtype=np.float32), np.asarray(sparse.indices())
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        return "has weights that are not finite numbers of at least 0"
    if len(terms) and not 0 <= terms.min() <= terms.max() < sparse.dimensions():
        return f"has weights beyond its {sparse.dimensions():,} dimensions"
    return None
