"""Pools the token vectors of a passage: similar ones become one, so that fewer are stored and compared.

Clavié, Chaffin and Adams, "Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via Token
Pooling" (2024), compare ways to choose them; hierarchical clustering by Ward's criterion is the best.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    return list(_members(len(tokens), _merges(normalize(tokens), factor)).values())


def pool(tokens: Matrix, factor: int) -> NDArray[np.float32]:
    """Return the mean of each cluster with length 1, shape (ceil(n / factor), d), of vectors of shape (n, d)."""
    unit = normalize(tokens)
    merges = _merges(unit, factor)
    # a sum for each merge takes a third of the time of a matrix product with the clusters
    sums = np.concatenate([unit, np.empty((len(merges), unit.shape[1]), dtype=np.float32)])
    for new, (one, other) in enumerate(merges, len(unit)):
        np.add(sums[one], sums[other], out=sums[new])
    return normalize(sums[list(_members(len(unit), merges))])


def _merges(unit: Matrix, factor: int) -> list[tuple[int, int]]:
    """Return the merges that make ceil(n / factor) clusters of n vectors of length 1, each a pair of clusters.

    Cluster i is row i for i < n; merge i makes cluster n + i.
    """
    count = len(unit)
    wanted = -(-count // factor)
    if wanted == count:
        return []
    from scipy.cluster.hierarchy import linkage  # it takes a tenth of a second to import
    from scipy.spatial.distance import squareform

    # the distances of vectors of length 1, by one matrix product
    squares = squareform(np.maximum(2 - 2 * (unit @ unit.T), 0), checks=False)
    merges = linkage(np.sqrt(squares, dtype=np.float64), method="ward")
    return [(one, other) for one, other in merges[: count - wanted, :2].astype(int).tolist()]


def _members(count: int, merges: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """Return the rows of each cluster that is left of `count` rows, in the order of their first rows."""
    members = {row: [row] for row in range(count)}
    for new, (one, other) in enumerate(merges, count):
        members[new] = members.pop(one) + members.pop(other)
    left = [(cluster, sorted(rows)) for cluster, rows in members.items()]
    return dict(sorted(left, key=lambda each: each[1]))
