"""Vectors in Postgres' binary format, built for a whole passage at once.

A passage has some 240 token vectors. Turning each into a Python object and each object into bytes costs more than
writing the passage, so an array of tokens is laid out with one NumPy record type instead. The layouts are those of
`array_send` and `bit_send` (Postgres), `halfvec_send` and `sparsevec_send` (pgvector); all integers are big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

from pgencoder.types import Matrix, TokenType

# Fixed in pg_type.dat; pgvector's types get theirs when the extension is created
BIT_OID = 1560
REAL_OID, REAL_ARRAY_OID = 700, 1021
INT_OID = 23


def normalize(vectors: Matrix) -> NDArray[np.float32]:
    """Rows of length 1; a zero row stays zero."""
    # float32 before the squares: float16 sums of 384 squares lose three digits
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


def halfvec(vector: Matrix) -> bytes:
    """Return a `halfvec` in binary form; `vector` has shape (d,)."""
    return struct.pack(">hh", len(vector), 0) + np.asarray(vector, dtype=">f2").tobytes()


def halfvec_array(vectors: Matrix, oid: int) -> bytes:
    """Return a `halfvec[]` in binary form; `vectors` has shape (n, d), `oid` is that of `halfvec` in this database."""
    n, d = vectors.shape
    element = np.dtype([("size", ">i4"), ("dim", ">i2"), ("unused", ">i2"), ("x", ">f2", (d,))])
    records = np.zeros(n, dtype=element)
    records["size"] = element.itemsize - 4
    records["dim"] = d
    records["x"] = vectors
    return _array_header(n, oid) + records.tobytes()


def bit_array(vectors: Matrix) -> bytes:
    """Return a `bit(d)[]` in binary form, with the signs of vectors of shape (n, d).

    A bit is 1 where a value is positive; the most significant bit comes first. The result is the same as pgvector's
    `binary_quantize` of each row.
    """
    n, d = vectors.shape
    packed = np.packbits(vectors > 0, axis=1)
    element = np.dtype([("size", ">i4"), ("bits", ">i4"), ("x", "u1", (packed.shape[1],))])
    records = np.zeros(n, dtype=element)
    records["size"] = element.itemsize - 4
    records["bits"] = d
    records["x"] = packed
    return _array_header(n, BIT_OID) + records.tobytes()


def read_array(data: bytes, kind: TokenType) -> Matrix:
    """Return the vectors, shape (n, d), of a `halfvec[]` or `bit(d)[]` in binary form; bits become 1 and -1."""
    if struct.unpack_from(">i", data)[0] == 0:
        return np.empty((0, 0), dtype=np.float32)
    n = struct.unpack_from(">i", data, 12)[0]
    elements = np.frombuffer(data, dtype=np.uint8, offset=20).reshape(n, -1)
    values = elements[:, 8:]
    if kind == "halfvec":
        return values.copy().view(">f2").astype(np.float32)
    dims = struct.unpack_from(">i", data, 24)[0]
    return np.unpackbits(values, axis=1, count=dims).astype(np.float32) * 2 - 1


def real_array(numbers: Matrix) -> bytes:
    """Return a `real[]` in binary form; `numbers` has shape (n,)."""
    records = np.empty(len(numbers), dtype=np.dtype([("size", ">i4"), ("x", ">f4")]))
    records["size"] = 4
    records["x"] = numbers
    return _array_header(len(numbers), REAL_OID) + records.tobytes()


def int_array(numbers: NDArray[np.int32]) -> bytes:
    """Return an `int[]` in binary form; `numbers` has shape (n,)."""
    records = np.empty(len(numbers), dtype=np.dtype([("size", ">i4"), ("x", ">i4")]))
    records["size"] = 4
    records["x"] = numbers
    return _array_header(len(numbers), INT_OID) + records.tobytes()


def sparsevec(indices: NDArray[np.int32], values: Matrix, dims: int) -> bytes:
    """Return a `sparsevec` in binary form: values that are not 0, shape (n,), and their indices from 0 in order."""
    header = struct.pack(">iii", dims, len(indices), 0)
    return header + np.asarray(indices, dtype=">i4").tobytes() + np.asarray(values, dtype=">f4").tobytes()


def _array_header(n: int, element_oid: int) -> bytes:
    if n == 0:
        return struct.pack(">iii", 0, 0, element_oid)
    return struct.pack(">iiiii", 1, 0, element_oid, n, 1)


@dataclass(frozen=True, eq=False)
class Halfvec:
    """A parameter of type `halfvec`: shape (d,)."""

    vector: Matrix


@dataclass(frozen=True, eq=False)
class HalfvecArray:
    """A parameter of type `halfvec[]`: shape (n, d)."""

    vectors: Matrix


class Numbers(list[float]):
    """A parameter of type `real[]`: shape (n,).

    A connection that was made before this module was loaded does not know how to send it in binary, and neither does
    another driver: to them it is the list that it is.
    """

    def __init__(self, numbers: Matrix) -> None:
        self.array = np.asarray(numbers, dtype=np.float32).ravel()
        super().__init__(self.array.tolist())


class _NumbersDumper(Dumper):
    format = Format.BINARY
    oid = REAL_ARRAY_OID

    def dump(self, obj: Numbers) -> bytes:
        return real_array(obj.array)


psycopg.adapters.register_dumper(Numbers, _NumbersDumper)


def halfvec_oids(connection: Connection[Any]) -> tuple[int, int] | None:
    """Return the oids of `halfvec` and `halfvec[]`, in any schema; None without pgvector 0.7 or newer."""
    return connection.execute(
        "SELECT t.oid, t.typarray FROM pg_catalog.pg_type t"
        " JOIN pg_catalog.pg_extension e ON t.typnamespace OPERATOR(pg_catalog.=) e.extnamespace"
        " WHERE e.extname OPERATOR(pg_catalog.=) 'vector' AND t.typname OPERATOR(pg_catalog.=) 'halfvec'"
    ).fetchone()


def register(connection: Connection[Any]) -> None:
    """Teach a connection to send `Halfvec` and `HalfvecArray`; a database without pgvector is left alone."""
    oids = halfvec_oids(connection)
    if oids is None:
        return
    halfvec_oid, array_oid = oids

    class HalfvecDumper(Dumper):
        format = Format.BINARY
        oid = halfvec_oid

        def dump(self, obj: Halfvec) -> bytes:
            return halfvec(obj.vector)

    class HalfvecArrayDumper(Dumper):
        format = Format.BINARY
        oid = array_oid

        def dump(self, obj: HalfvecArray) -> bytes:
            return halfvec_array(obj.vectors, halfvec_oid)

    connection.adapters.register_dumper(Halfvec, HalfvecDumper)
    connection.adapters.register_dumper(HalfvecArray, HalfvecArrayDumper)


def ensure_registered(connection: Connection[Any]) -> None:
    """Register the types of a connection that was made before pgvector was there."""
    try:
        connection.adapters.get_dumper(Halfvec, PyFormat.AUTO)
    except psycopg.ProgrammingError:
        register(connection)
