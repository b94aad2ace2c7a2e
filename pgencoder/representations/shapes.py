"""Checks of the vectors that encoders and callers give."""

from __future__ import annotations

import numpy as np

from pgencoder.errors import InvalidRequest
from pgencoder.types import Encoding


def check_query(query: Encoding) -> None:
    """Raise InvalidRequest for a query that no passage can be compared with."""
    if query.dense.ndim != 1 or not len(query.dense) or query.tokens.ndim != 2:
        raise InvalidRequest(
            "a query has a dense vector of shape (d,) and tokens of shape (n, t), got"
            f" {query.dense.shape} and {query.tokens.shape}"
        )
    if not (np.isfinite(query.dense).all() and np.isfinite(query.tokens).all()):
        raise InvalidRequest("the query's vectors hold NaN or infinity; give finite numbers")
