"""The dense vectors of a collection, out of the database and in a temporary file."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.integer]
Floats = NDArray[np.float64]

HALFVEC_HEADER = 4  # bytes of `halfvec_send` before the elements


class Spool:
    """Passages in the order of their rows' keys: their vectors in a file, and in memory which row each is of.

    Memory: 4 bytes a passage, 8 and the key's text a row. `with` removes the file.
    """

    def __init__(self, dims: int) -> None:
        self.dims = dims
        self._file = tempfile.TemporaryFile(prefix="pgencoder-")  # noqa: SIM115 - `__exit__` closes it
        self._row_of = array("i")
        self._starts = array("q")  # of each row's passages
        self._keys = bytearray()
        self._key_ends = array("q")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written is not needed either
            self._file.close()

    def append(self, key: bytes, halfvec: bytes) -> None:
        """One more passage: its row's key, and its vector as `halfvec_send` writes it."""
        if not self._key_ends or key != self._key_of_last():
            self._starts.append(len(self._row_of))
            self._keys += key
            self._key_ends.append(len(self._keys))
        self._row_of.append(len(self._key_ends) - 1)
        self._file.write(memoryview(halfvec)[HALFVEC_HEADER:])

    def complete(self) -> None:
        """All passages are there."""
        self._file.flush()
        self.row_of: NDArray[np.int32] = np.frombuffer(self._row_of, dtype=np.int32)
        starts = np.append(np.frombuffer(self._starts, dtype=np.int64), len(self.row_of))
        self.first, self.sizes = starts[:-1], np.diff(starts)

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def rows(self) -> int:
        """How many rows the passages are of."""
        return len(self._key_ends)

    def keys(self, rows: Sequence[int]) -> list[bytes]:
        """The keys of rows."""
        ends = self._key_ends
        return [bytes(self._keys[ends[row - 1] if row else 0 : ends[row]]) for row in rows]

    def take(self, passages: Indices) -> Floats:
        """The vectors of passages, as they are stored: shape (n, dims)."""
        # read and not mapped: the pages around each would count as this process' memory
        size, file = 2 * self.dims, self._file.fileno()
        if len(passages) and (np.diff(passages) == 1).all():
            data = os.pread(file, len(passages) * size, int(passages[0]) * size)
        else:
            data = b"".join([os.pread(file, size, passage * size) for passage in passages.tolist()])
        return np.frombuffer(data, ">f2").reshape(-1, self.dims).astype(np.float64)

    def _key_of_last(self) -> bytes:
        return self.keys([self.rows - 1])[0]
