"""Keeps the dense vectors of a collection in a temporary file, outside the database."""

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
    """Stores passages in the order of their rows' keys: the vectors in a file, and the row of each passage in memory.

    A passage takes 4 bytes of memory; a row takes 8 bytes and the text of its key. Leaving `with` removes the file.
    """

    def __init__(self, dims: int) -> None:
        self.dims = dims
        self._file = tempfile.TemporaryFile(prefix="pgencoder-")  # noqa: SIM115 - `__exit__` closes it
        self._row_of = array("i")
        self._starts = array("q")  # the first passage of each row
        self._keys = bytearray()
        self._key_ends = array("q")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # data that could not be written is no longer needed
            self._file.close()

    def append(self, key: bytes, halfvec: bytes) -> None:
        """Add a passage: the key of its row, and its vector in the format of `halfvec_send`."""
        if not self._key_ends or key != self._key_of_last():
            self._starts.append(len(self._row_of))
            self._keys += key
            self._key_ends.append(len(self._keys))
        self._row_of.append(len(self._key_ends) - 1)
        self._file.write(memoryview(halfvec)[HALFVEC_HEADER:])

    def complete(self) -> None:
        """Finish writing after the last passage, and build the arrays that map passages to rows."""
        self._file.flush()
        self.row_of: NDArray[np.int32] = np.frombuffer(self._row_of, dtype=np.int32)
        starts = np.append(np.frombuffer(self._starts, dtype=np.int64), len(self.row_of))
        self.first, self.sizes = starts[:-1], np.diff(starts)

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self._key_ends)

    def keys(self, rows: Sequence[int]) -> list[bytes]:
        """Return the keys of rows, given by number."""
        ends = self._key_ends
        return [bytes(self._keys[ends[row - 1] if row else 0 : ends[row]]) for row in rows]

    def take(self, passages: Indices) -> Floats:
        """Return the vectors of passages, as they are stored: shape (n, dims)."""
        # read instead of mapped, because mapped pages would count as memory of this process
        size, file = 2 * self.dims, self._file.fileno()
        if len(passages) and (np.diff(passages) == 1).all():
            data = os.pread(file, len(passages) * size, int(passages[0]) * size)
        else:
            data = b"".join([os.pread(file, size, passage * size) for passage in passages.tolist()])
        return np.frombuffer(data, ">f2").reshape(-1, self.dims).astype(np.float64)

    def _key_of_last(self) -> bytes:
        return self.keys([self.rows - 1])[0]
