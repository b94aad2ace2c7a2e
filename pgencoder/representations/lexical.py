"""The words of a passage, made by the server, and compared by BM25 (Robertson and Zaragoza, 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from pgencoder.representations.base import Parameter
from pgencoder.representations.terms import TermMeasure, TermWeights, asked
from pgencoder.statements import Part, template
from pgencoder.types import Encoding

DIMS = 2**29 + 1  # a term is one of 2^29 hashes; the last dimension has the length


@dataclass(frozen=True)
class Bm25(TermMeasure):
    """BM25 with k1 = 1.2, b = 0.75 and the inverse document frequency of Lucene.

    A function of the collection makes the query: it knows how texts are split, and how many passages have a term.
    Candidates are the nearest by nearly BM25: with a mean length that is the same at all times.
    """

    exact: ClassVar[bool] = False

    name: str = "lexical"

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the words."""
        return {"query_text": query.text}

    def value(self, query: Encoding) -> str:
        """Return the words."""
        return query.text

    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the words."""
        return parameters["query_text"]

    def score(self, query: str) -> str:
        """Return BM25 by the counts of now; 0 without a term of the query, NULL for a query without terms."""
        return template("bm25_score").format(asked=query, column=self.name)

    def relevance(self, score: str, query: str) -> str:
        """Return the part that the score is of the highest that any passage could have for the query."""
        return f"({score} OPERATOR(pg_catalog./) {asked(query, 'highest')})"


@dataclass(frozen=True)
class Lexical(TermWeights):
    """The weights of the words of a passage; the server makes them of the text.

    `configuration` is that of full text search, with its schema and quoted where needed: "pg_catalog.english".
    """

    kind: ClassVar[str] = "bm25"
    usual: ClassVar[tuple[float, ...]] = (0.44, 0.56, 0.66, 0.73, 0.79, 0.845, 0.895, 0.935)
    least: ClassVar[int] = 500

    name: str = "lexical"
    dims: int = DIMS
    configuration: str = "pg_catalog.simple"

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the configuration."""
        return {"configuration": self.configuration}

    @property
    def measure(self) -> Bm25:
        """BM25."""
        return Bm25(self.name)

    def made(self, content: Part) -> Part:
        """Return the call that splits a text into words."""
        return sql.SQL("pgencoder._bm25({}::pg_catalog.regconfig, {})").format(sql.Literal(self.configuration), content)

    @property
    def counted(self) -> tuple[str, str]:
        """The column of elements, and the number of words of the passage `passage`."""
        return f"{self.name}_terms", f"pgencoder._bm25_length(passage.{self.name})"

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return nothing: the server makes the columns."""
        return ()

    def size(self, tokens: int) -> int:  # noqa: ARG002
        """Return 0."""
        return 0

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> None:
        """Return None: the server makes the columns."""
