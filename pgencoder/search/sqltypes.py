"""SQLAlchemy types for vectors: columns, and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.types import UserDefinedType

from pgencoder.errors import InvalidRequest
from pgencoder.statements import SCHEMA
from pgencoder.types import Matrix, TokenType
from pgencoder.vectors import Numbers, normalize, read_array

_functions = getattr(sa.func, SCHEMA)


class NumbersType(UserDefinedType[Any]):
    """The numbers of a vector or of a matrix, row after row, as `real[]`: binary in every driver that can."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type in the form that DDL and CAST need."""
        return "real[]"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return a function that makes a value for the driver."""
        return lambda value: value if value is None or isinstance(value, Numbers) else Numbers(value)

    def literal_processor(self, dialect: sa.Dialect) -> Callable[[Any], str]:  # noqa: ARG002
        """Return a function that makes a readable literal."""
        return lambda value: "'{" + ",".join(map(str, Numbers(value))) + "}'"


class Dense(HALFVEC):
    """A column of vectors of `dims` dimensions, as `halfvec`; values of shape (dims,) are stored with length 1.

    In your own table: `embedding: Mapped[...] = mapped_column(Dense(384))`. Reading gives a list of floats. The
    database needs the schema pgencoder, and pgvector on the search path when the table is created.
    """

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return a function that scales a value to length 1."""
        return lambda value: _normalized(value, (self.dim,))

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        """Return the SQL expression that makes a vector from numbers."""
        return _functions._query_dense(sa.cast(bindvalue, NumbersType()))  # type: ignore[no-any-return]


class Tokens(UserDefinedType[Matrix]):
    """A column of token vectors of `dims` dimensions, as `bit(dims)[]` or `halfvec(dims)[]`.

    Values are matrices of shape (n, dims); rows are stored with length 1, or as their signs. Reading gives the same
    shape: 1 and -1 for bits. Set `STORAGE EXTERNAL` on the column: arrays default to compression, which gains nothing.
    """

    cache_ok = True

    def __init__(self, dims: int, kind: TokenType = "bit") -> None:
        if kind not in ("bit", "halfvec"):
            raise InvalidRequest(f'tokens are stored as "bit" or "halfvec", not {kind!r}')
        self.dims = dims
        self.kind = kind

    def get_col_spec(self, **_: Any) -> str:
        """Return the type in the form that DDL and CAST need."""
        return f"{self.kind}({self.dims})[]"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return a function that makes numbers from a matrix, row after row."""
        return lambda value: _normalized(value, (None, self.dims))

    def compare_values(self, x: Any, y: Any) -> bool:
        """Return True if two values are equal, for the ORM."""
        return x is y or (x is not None and y is not None and np.array_equal(x, y))

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        """Return the SQL expression that makes vectors, or their signs, from numbers."""
        tokens = _functions._query_tokens(sa.cast(bindvalue, NumbersType()), sa.literal(self.dims, sa.Integer()))
        return tokens if self.kind == "halfvec" else _functions.binary_quantize(tokens)  # type: ignore[no-any-return]

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the expression of the binary form, which any driver can read."""
        return sa.type_coerce(sa.func.pg_catalog.array_send(column, type_=sa.LargeBinary()), self)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return a function that reads the binary form."""
        return lambda value: None if value is None else read_array(bytes(value), self.kind)


def _normalized(value: Any, shape: tuple[int | None, ...]) -> Numbers | None:
    if value is None:
        return None
    vectors = np.asarray(value, dtype=np.float32)
    # cut into rows by the server, numbers of another shape would fit too
    if vectors.ndim != len(shape) or any(
        want not in (None, got) for want, got in zip(shape, vectors.shape, strict=True)
    ):
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        raise InvalidRequest(f"expected vectors of shape ({wanted}), got {vectors.shape}")
    return Numbers(normalize(vectors))
