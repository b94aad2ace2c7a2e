"""MaxSim in NumPy, to compare the kernels with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def maxsim(query: Floats, document: Floats) -> float:
    """The oracle: the sum over query tokens of the largest inner product with a document token, in float64."""
    return float((query @ document.T).max(axis=1).sum())


def signs(tokens: Floats) -> Floats:
    """1-bit tokens as vectors of length 1."""
    return np.asarray(np.where(tokens > 0, 1.0, -1.0) / np.sqrt(tokens.shape[1]))
