"""Column types and parameters of SQLAlchemy for vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from pgencoder.types import Matrix
from pgencoder.vectors import Numbers


class NumbersType(UserDefinedType[Matrix]):
    """The numbers of a vector or of a matrix, row after row, as `real[]`: binary in every driver that can."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type as DDL and CAST write it."""
        return "real[]"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """To what the driver takes."""
        return lambda value: value if value is None or isinstance(value, Numbers) else Numbers(value)

    def literal_processor(self, dialect: sa.Dialect) -> Callable[[Any], str]:
        """To a literal, for reading."""

        def process(value: Matrix) -> str:
            return "'{" + ",".join(map(str, np.asarray(value, dtype=np.float32).ravel().tolist())) + "}'"

        return process
