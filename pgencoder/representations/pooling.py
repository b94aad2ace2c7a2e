"""Pools the token vectors of a passage: similar ones become one, so that fewer are stored and compared.

Clavié, Chaffin and Adams, "Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via Token
Pooling" (2024), compare ways to choose them; hierarchical clustering by Ward's criterion is the best.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgencoder.errors import InvalidRequest
from pgencoder.types import Matrix
from pgencoder.vectors import normalize

MOST = 4


def check_pooling(pooling: Any) -> None:
    """Raise InvalidRequest unless the value is a factor of pooling."""
    if type(pooling) is not int or not 1 <= pooling <= MOST:
        raise InvalidRequest(f"pooling must be an integer from 1 (none) to {MOST}, got {pooling!r}")


def clusters(tokens: Matrix, factor: int) -> list[list[int]]:
    """Return the rows of each cluster, ceil(n / factor) clusters of n vectors, in the order of their first rows.

    `tokens` has shape (n, d). Vectors are compared with length 1.
    """
    count = len(tokens)
    wanted = -(-count // factor)
    if wanted == count:
        return [[row] for row in range(count)]
    from scipy.cluster.hierarchy import linkage  # it takes a tenth of a second to import
    from scipy.spatial.distance import squareform

    unit = normalize(tokens)
    # the distances of vectors of length 1, by one matrix product
    squares = squareform(np.maximum(2 - 2 * (unit @ unit.T), 0), checks=False)
    merges = linkage(np.sqrt(squares, dtype=np.float64), method="ward")
    members: list[list[int] | None] = [[row] for row in range(count)]
    for one, other in merges[: count - wanted, :2].astype(int).tolist():
        members.append([*(members[one] or ()), *(members[other] or ())])
        members[one] = members[other] = None
    return sorted(sorted(each) for each in members if each is not None)


def pool(tokens: Matrix, factor: int) -> NDArray[np.float32]:
    """Return the mean of each cluster with length 1, shape (ceil(n / factor), d), of vectors of shape (n, d)."""
    unit = normalize(tokens)
    chosen = clusters(unit, factor)
    if len(chosen) == len(unit):
        return unit
    starts = np.cumsum([0, *map(len, chosen[:-1])])
    return normalize(np.add.reduceat(unit[np.concatenate(chosen)], starts))
