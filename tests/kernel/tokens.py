"""Arrays of tokens as they lie in the memory of a server on a little-endian machine, to call the kernels without one.

This is what follows the header of a Postgres array without NULLs: for each token a length word (the size, itself
included, times 4: the low bits say that the value is neither compressed nor out of line), the dimensions, the values,
and zeros up to a multiple of 4 bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgencoder.types import Matrix


def halfvecs(tokens: Matrix) -> bytes:
    """The data of a `halfvec[]`: shape (n, d)."""
    return _records(tokens.astype("<f2"), "<i2", tokens.shape[1])


def vectors(tokens: Matrix) -> bytes:
    """The data of a `vector[]`: shape (n, d)."""
    return _records(tokens.astype("<f4"), "<i2", tokens.shape[1])


def bits(tokens: Matrix) -> bytes:
    """The data of a `bit(d)[]`, 1 where positive, most significant bit first: shape (n, d)."""
    return _records(np.packbits(tokens > 0, axis=1), "<i4", tokens.shape[1])


def _records(values: NDArray[Any], dims_type: str, dims: int) -> bytes:
    size = 8 + values.shape[1] * values.itemsize
    record = np.dtype(
        {
            "names": ["word", "dims", "values"],
            "formats": ["<u4", dims_type, (values.dtype, (values.shape[1],))],
            "offsets": [0, 4, 8],
            "itemsize": (size + 3) // 4 * 4,
        }
    )
    records = np.zeros(len(values), dtype=record)
    records["word"] = size << 2
    records["dims"] = dims
    records["values"] = values
    return records.tobytes()
