"""The interface of a representation: everything that the rest of the package knows of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from pgencoder.errors import InvalidRequest
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
