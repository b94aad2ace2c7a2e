"""The interface of a representation: everything that the rest of the package knows of one."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pgencoder.errors import InvalidRequest, InvalidSource
from pgencoder.statements import Part, identifier, raw
from pgencoder.types import Encoding
from pgencoder.vectors import Numbers

Parameter = Numbers | int | str


@dataclass(frozen=True)
class Measure(ABC):
    """A comparison of a query with one column of the passages, as SQL.

    `name` is the name of the column.
    """

    name: str

    @abstractmethod
    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the bind parameters that hold the query, by name; raise InvalidRequest where it cannot be compared."""

    @abstractmethod
    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the expression of the query, from the SQL of its parameters."""

    def value(self, query: Encoding) -> object | None:  # noqa: ARG002
        """Return the query as one parameter that a connection of ours knows the type of, None without such a type."""
        return None

    @abstractmethod
    def score(self, query: str) -> str:
        """Return the expression that is the higher, the better a passage fits: double precision, or NULL."""

    def distance(self, query: str) -> str:  # noqa: ARG002
        """Return the expression whose order an index of the column gives: the negative of the score, never NULL."""
        raise InvalidRequest(f"passages cannot be recalled by {self.name!r}, only scored")


@dataclass(frozen=True)
class Representation(ABC):
    """One thing that a generation stores of each passage, in a column that is called `name`.

    `dims` are the dimensions of a vector in it. The catalogue has a row for each: what a subclass adds to these fields
    is in `options`.
    """

    kind: ClassVar[str]
    """The name of the class in the catalogue."""
    storage: ClassVar[str | None] = None
    """The storage of the column, if it is not that of its type."""

    name: str
    dims: int

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z0-9_]{0,9}", self.name):
            raise InvalidRequest(f"a representation's name has 1 to 10 letters and digits, got {self.name!r}")

    @property
    def options(self) -> Mapping[str, Any]:
        """Return what the catalogue keeps besides the name, kind and dimensions, as JSON can."""
        return {}

    @property
    @abstractmethod
    def measure(self) -> Measure:
        """The comparison with queries."""

    @abstractmethod
    def column_type(self, vector: Part) -> Part:
        """Return the type of the column; `vector` is pgvector's schema."""

    def index(self, vector: Part) -> Part | None:  # noqa: ARG002
        """Return the method and columns of the index that recalls by it, as CREATE INDEX takes them; None without."""
        return None

    @property
    def indexed(self) -> bool:
        """Tell if there is an index."""
        return self.index(raw("")) is not None

    @property
    def index_bytes(self) -> int:
        """Return the memory that building the index takes for a passage."""
        return 0

    @abstractmethod
    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> bytes:
        """Return the value for a passage in Postgres' binary format, of an encoding that has been checked.

        `halfvec_oid` is the oid of `halfvec` in the database.
        """

    @abstractmethod
    def size(self, tokens: int) -> int:
        """Return the most bytes that `pack` gives for a text of that many tokens."""

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> Part:  # noqa: ARG002
        """Return the expression that makes the value of a column of the relation `v`, which may not be given.

        `type_` is the type of the column as the server spells it, None if it is not known. Raises InvalidSource where
        nothing can be made of it.
        """
        raise InvalidSource(f"{self.name!r} cannot be taken over from a column; reconcile makes it")


def of_relation(column: str) -> Part:
    """Return a column of the relation `v`, from which vectors are taken over."""
    return identifier("v", column)
