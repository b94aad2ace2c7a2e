"""The words of a passage, made by the server, and compared by BM25 (Robertson and Zaragoza, 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from pgencoder.representations.base import Column, Measure, Parameter, Representation
from pgencoder.statements import SCHEMA, Part, identifier, raw, template
from pgencoder.types import Encoding

DIMS = 2**29 + 1  # a term is one of 2^29 hashes; the last dimension has the length
# The passages that are read for a query: a part of all, but not fewer and not more than these
PART, LEAST, MOST = 0.1, 500, 8_000
SETS = ("any_1", "any_2", "any_3")


@dataclass(frozen=True)
class Bm25(Measure):
    """BM25 with k1 = 1.2, b = 0.75 and the inverse document frequency of Lucene.

    A function of the collection makes the query: it knows how texts are split, and how many passages have a term.
    """

    name: str = "lexical"
    asks: ClassVar[bool] = True
    exact: ClassVar[bool] = False

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
        return f"({score} OPERATOR(pg_catalog./) {_asked(query, 'highest')})"

    def distance(self, query: str) -> str:
        """Return the negative of nearly BM25: with a mean length that is the same at all times."""
        return f"{SCHEMA}._distance({self.name}, {_asked(query, 'weights')})"

    def candidates(self, query: str) -> str:
        """Return the condition of passages that may be the best, which the index answers."""
        sets = " AND ".join(self._has(_asked(query, name)) for name in SETS)
        # all settings are read before a row is, so that a wrong one fails whatever rows there are
        given = " AND ".join(f"asked.{name} IS NOT NULL" for name in ("weights", *SETS))
        return f"(SELECT {given} FROM {query} AS asked) AND {sets}"

    def settings(self, asked: str, *, every: bool) -> Mapping[str, str]:
        """Return the weights and three sets of elements; with `every` all elements of the terms, three times."""
        sets = ["every"] * 3 if every else SETS
        elements = {
            name: f"pg_catalog.array_to_string({asked}.{chosen}, ',')" for name, chosen in zip(SETS, sets, strict=True)
        }
        return {"weights": f"{asked}.weights::pg_catalog.text", **elements}

    def from_settings(self, setting: Mapping[str, str], vector: str) -> str:
        """Return the weights and the three sets."""
        sets = ", ".join(f"pg_catalog.string_to_array({setting[name]}, ',')::int[] AS {name}" for name in SETS)
        return f"(SELECT {setting['weights']}::{vector}.sparsevec({DIMS}) AS weights, {sets})"

    def unfinished(self, query: str) -> str:
        """Return the condition that some that match are no candidates."""
        return f"NOT {_asked(query, 'complete')}"

    def _has(self, elements: str) -> str:
        return f"passages.{self.name}_terms OPERATOR(pg_catalog.&&) {elements}"


@dataclass(frozen=True)
class Lexical(Representation):
    """The weights of the terms of a passage, and the terms for a GIN index; the server makes both of the text.

    `configuration` is that of full text search, with its schema and quoted where needed: "pg_catalog.english".
    """

    kind: ClassVar[str] = "bm25"

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

    def column_type(self, vector: Part) -> Part:
        """Return `sparsevec`."""
        return vector + raw(f".sparsevec({self.dims})")

    def columns(self, vector: Part) -> tuple[Column, ...]:
        """Return the weights and the terms."""
        # inside the row, unless that does not fit a page: each candidate is read
        return (
            Column(self.name, self.column_type(vector), "MAIN"),
            Column(f"{self.name}_terms", raw("int[]"), "MAIN"),
        )

    def made(self, content: Part) -> Part:
        """Return the call that splits a text into words."""
        return sql.SQL("pgencoder._bm25({}::pg_catalog.regconfig, {})").format(sql.Literal(self.configuration), content)

    def index(self, vector: Part) -> Part:  # noqa: ARG002
        """Return that of GIN; a list of changes that wait would be read by every search."""
        return sql.SQL("gin ({} pg_catalog.array_ops) WITH (fastupdate = 'off')").format(
            identifier(f"{self.name}_terms")
        )

    @property
    def counted(self) -> tuple[str, str]:
        """The column of terms, and the length of the passage `passage`."""
        return f"{self.name}_terms", f"pgencoder._bm25_length(passage.{self.name})"

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return nothing: the server makes the columns."""
        return ()

    def size(self, tokens: int) -> int:  # noqa: ARG002
        """Return 0."""
        return 0

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> None:
        """Return None: the server makes the columns."""


def _asked(query: str, column: str) -> str:
    return f"(SELECT asked.{column} FROM {query} AS asked)"
