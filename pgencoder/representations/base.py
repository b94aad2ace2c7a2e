"""The interface of a representation: everything that the rest of the package knows of one."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pgencoder.errors import InvalidRequest, InvalidSource
from pgencoder.statements import SCHEMA, Part, identifier, raw
from pgencoder.types import Encoding
from pgencoder.vectors import Numbers

Parameter = Numbers | int | str


@dataclass(frozen=True)
class Measure(ABC):
    """A comparison of a query with one column of the passages, as SQL.

    `name` is the name of the column. With `asks` the function `<collection>_<name>` makes the query of what `query`
    returns; the expressions then get the name of a relation with the function's one row. Without `exact` the distance
    finds candidates, but is not the negative of the score.
    """

    asks: ClassVar[bool] = False
    exact: ClassVar[bool] = True

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

    def relevance(self, score: str, query: str) -> str:  # noqa: ARG002
        """Return the expression of the score as a number that can be compared between queries: 0 nothing, 1 all fits.

        By default a score of s has the relevance s / (1 + s), and one below 0 has 0.
        """
        positive = f"greatest({score}, 0)"
        return f"({positive} OPERATOR(pg_catalog./) (1 OPERATOR(pg_catalog.+) {positive}))"

    def distance(self, query: str) -> str:  # noqa: ARG002
        """Return the expression whose order an index of the column gives: the negative of the score, never NULL."""
        raise InvalidRequest(f"passages cannot be recalled by {self.name!r}, only scored")

    def candidates(self, query: str) -> str | None:  # noqa: ARG002
        """Return the condition of the passages among which the nearest are; None if their order has an index.

        It stands in the view `<collection>_by_<name>`, where the query is that of `from_settings`.
        """
        return None

    def settings(self, asked: str, *, every: bool) -> Mapping[str, str]:  # noqa: ARG002
        """Return the settings by which the view finds the candidates, or all that match if `every`, as text by name.

        They are of the row `asked`, of what the function returned: one whose `weights` are NULL finds nothing.
        """
        return {}

    def from_settings(self, setting: Mapping[str, str], type_: str) -> str:  # noqa: ARG002
        """Return the query from the SQL of these settings: a subquery with one row; `type_` is that of the column."""
        raise InvalidRequest(f"passages cannot be recalled by {self.name!r}, only scored")

    def unfinished(self, query: str) -> str:  # noqa: ARG002
        """Return the condition that not all that match are candidates, where there are `candidates`."""
        return "true"


@dataclass(frozen=True)
class Column:
    """A column of the passages: its type, and its storage if that is not the type's."""

    name: str
    type: Part
    storage: str | None = None


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

    def columns(self, vector: Part) -> tuple[Column, ...]:
        """Return the columns that hold it, the one that is called like it first; `vector` is pgvector's schema."""
        return (Column(self.name, self.column_type(vector), self.storage),)

    def made(self, content: Part) -> Part | None:  # noqa: ARG002
        """Return the function call that makes all its columns of a text, where the server does that; else None.

        The text is the passage's, but the whole content of a row whose passage is cut at the model's limit.
        """
        return None

    @property
    def written(self) -> tuple[str, ...]:
        """The names of the columns that a worker writes, because the server does not make them."""
        return () if self.made(raw("")) is not None else tuple(each.name for each in self.columns(raw("")))

    @property
    def counted(self) -> tuple[str, str] | None:
        """The column of terms of which the server counts how many passages have each, and the length of a passage."""
        return None

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
    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:
        """Return the values of the columns `written` in Postgres' binary format, of an encoding that was checked.

        `halfvec_oid` is the oid of `halfvec` in the database.
        """

    @abstractmethod
    def size(self, tokens: int) -> int:
        """Return the most bytes that `pack` gives for a text of that many tokens."""

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> Part | None:  # noqa: ARG002
        """Return the expression that makes the value of a column of the relation `v`, which may not be given.

        `type_` is the type of the column as the server spells it, None if it is not known. Returns None if the server
        makes the columns. Raises InvalidSource where nothing can be made of it.
        """
        raise InvalidSource(f"{self.name!r} cannot be taken over from a column; reconcile makes it")


def setting_name(measure: str, part: str) -> str:
    """Return the name of a setting in which a search says what the view of a measure shows."""
    return f"{SCHEMA}.{measure}_{part}"


def of_relation(column: str) -> Part:
    """Return a column of the relation `v`, from which vectors are taken over."""
    return identifier("v", column)
