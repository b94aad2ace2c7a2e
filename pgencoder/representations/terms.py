"""Weights of terms: the common part of representations that have a weight above 0 in few of very many dimensions.

A term is a dimension, counted from 1. Passages are compared by the inner product of their weights with those of the
query, which a function of the collection completes: it knows how many passages have a term. The index finds candidates
by elements: an element is (term - 1) * 8 + level, where the level says how strong the weight is, 0 to 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from psycopg import sql

from pgencoder.representations.base import Column, Measure, Representation
from pgencoder.statements import SCHEMA, Part, identifier, raw

PART, MOST = 0.1, 8_000  # the passages that are read for a query: a part of all, and the most
SETS = ("any_1", "any_2", "any_3")
SETTINGS = ("weights", *SETS)


@dataclass(frozen=True)
class TermMeasure(Measure):
    """The inner product of weights of terms, among passages that have some of the terms of the query."""

    asks: ClassVar[bool] = True

    def distance(self, query: str) -> str:
        """Return the negative inner product."""
        return f"{SCHEMA}._distance({self.name}, {asked(query, 'weights')})"

    def candidates(self, query: str) -> str:
        """Return the condition of passages that may be the best, which the index answers."""
        sets = " AND ".join(self._has(asked(query, name)) for name in SETS)
        # all settings are read before a row is, so that a wrong one fails whatever rows there are
        given = " AND ".join(f"asked.{name} IS NOT NULL" for name in SETTINGS)
        return f"(SELECT {given} FROM {query} AS asked) AND {sets}"

    def settings(self, asked: str, *, every: bool) -> Mapping[str, str]:
        """Return the weights and three sets of elements; with `every` all elements of the terms, three times."""
        sets = ["every"] * 3 if every else SETS
        elements = {
            name: f"pg_catalog.array_to_string({asked}.{chosen}, ',')" for name, chosen in zip(SETS, sets, strict=True)
        }
        return {"weights": f"{asked}.weights::pg_catalog.text", **elements}

    def from_settings(self, setting: Mapping[str, str], type_: str) -> str:
        """Return the weights and the three sets."""
        sets = ", ".join(f"pg_catalog.string_to_array({setting[name]}, ',')::int[] AS {name}" for name in SETS)
        return f"(SELECT {setting['weights']}::{type_} AS weights, {sets})"

    def unfinished(self, query: str) -> str:
        """Return the condition that some that match are no candidates."""
        return f"NOT {asked(query, 'complete')}"

    def _has(self, elements: str) -> str:
        return f"passages.{self.name}_terms OPERATOR(pg_catalog.&&) {elements}"


@dataclass(frozen=True)
class TermWeights(Representation):
    """The weights of the terms of a passage, and their elements for a GIN index.

    `usual` are the usual weights of the levels. At least about `least` passages are read for a query.
    """

    usual: ClassVar[tuple[float, ...]]
    least: ClassVar[int]

    def column_type(self, vector: Part) -> Part:
        """Return `sparsevec`."""
        return vector + raw(f".sparsevec({self.dims})")

    def columns(self, vector: Part) -> tuple[Column, ...]:
        """Return the weights and the elements."""
        # inside the row, unless that does not fit a page: each candidate is read
        return (
            Column(self.name, self.column_type(vector), "MAIN"),
            Column(f"{self.name}_terms", raw("int[]"), "MAIN"),
        )

    def index(self, vector: Part) -> Part:  # noqa: ARG002
        """Return that of GIN; a list of changes that wait would be read by every search."""
        return sql.SQL("gin ({} pg_catalog.array_ops) WITH (fastupdate = 'off')").format(
            identifier(f"{self.name}_terms")
        )

    @property
    def counted(self) -> tuple[str, str]:
        """The column of elements, and the length of the passage `passage`: 0, if nothing asks for it."""
        return f"{self.name}_terms", "0"


def asked(query: str, column: str) -> str:
    """Return a column of the one row of what the collection made of the query."""
    return f"(SELECT asked.{column} FROM {query} AS asked)"
