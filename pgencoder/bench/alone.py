"""Runs the native kernel outside a server, over the same bytes; the difference is the cost of the server."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pgencoder.errors import NativeUnavailable
from pgencoder.kernel import native
from pgencoder.types import Matrix, TokenType

# As in native/src/kernel.h: the type of tokens that a query of halfvec is compared with
FORMS: dict[TokenType, int] = {"halfvec": 0, "bit": 3}


def image(tokens: Matrix, kind: TokenType) -> NDArray[np.uint8]:
    """Return the bytes of an array of tokens, as Postgres stores them after the array's header.

    `tokens` has shape (n, d). Each element is a length word, the number of dimensions, and the values: halves for
    `halfvec` (pgvector), signs for `bit` (Postgres).
    """
    n, dims = tokens.shape
    values = tokens.astype("<f2").view(np.uint8) if kind == "halfvec" else np.packbits(tokens > 0, axis=1)
    size = 8 + values.shape[1]
    made = np.zeros((n, (size + 3) // 4 * 4), dtype=np.uint8)
    made[:, 0:4] = np.frombuffer(np.int32(size << 2).tobytes(), dtype=np.uint8)
    made[:, 4:8] = np.frombuffer(np.int32(dims).tobytes(), dtype=np.uint8)
    made[:, 8:size] = values
    return made


class _Array(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("count", ctypes.c_int))


class Arrays:
    """The tokens of documents in the memory layout of the kernel, all of one type."""

    def __init__(self, documents: Sequence[Matrix], kind: TokenType) -> None:
        self.kind = kind
        self._images = [image(tokens, kind) for tokens in documents]
        self._structures = (_Array * len(documents))(*(_array(each) for each in self._images))
        self.bytes = sum(each.nbytes for each in self._images)

    def scores(self, query: Matrix, simd: str | None = None) -> NDArray[np.float64]:
        """Return MaxSim of each document for a query of shape (n, d), with the instructions `simd` or the best ones."""
        tokens = image(query, "halfvec")
        scores = np.empty(len(self._images), dtype=np.float64)
        status = _library().kernel_scores(
            None if simd is None else simd.encode(),
            FORMS[self.kind],
            ctypes.byref(_array(tokens)),
            self._structures,
            len(self._images),
            scores.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
        )
        if status == 1:
            raise NativeUnavailable(f"this processor cannot run the kernel {simd!r}")
        if status != 0:
            raise ValueError(f"the kernel refuses these arrays (status {status})")
        return scores


def _array(data: NDArray[np.uint8]) -> _Array:
    return _Array(data.ctypes.data, data.nbytes, len(data))


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(native.kernel_library()))
