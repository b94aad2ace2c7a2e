"""The key of a collection, written in each of the ways that a statement needs it.

Three kinds of relations have the key. The source has it under its own names. Our tables have it under the names in the
catalogue, see `catalog.free_names`. Inside a statement, and in what functions return, its columns are
k1, k2, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from pgencoder.statements import Part, as_text, equal, identifier, listed, raw, text_of
from pgencoder.types import KeyColumn


class Key:
    """The columns of a key with their types and collations, from which fragments of SQL are made.

    `types` and `collations` take the place of those in `columns`, where only the database can say them.
    """

    def __init__(
        self,
        columns: Sequence[KeyColumn],
        types: Sequence[Part] | None = None,
        collations: Sequence[Part | None] | None = None,
    ) -> None:
        self.columns = columns
        self.types = types or [raw(column.full_type) for column in columns]
        self.collations = collations or [raw(column.collation) if column.collation else None for column in columns]
        self.numbers = range(1, len(columns) + 1)
        self.k = [raw(f"k{i}") for i in self.numbers]

    @cached_property
    def names(self) -> Part:
        """The columns in our tables."""
        return listed([identifier(column.name) for column in self.columns])

    def of(self, relation: Part) -> Part:
        """Return the columns of one of our tables, qualified with the name `relation`."""
        return listed([relation + raw(".") + identifier(column.name) for column in self.columns])

    def of_source(self, relation: str) -> Part:
        """Return the columns of the source, qualified with the name `relation`."""
        return listed([identifier(relation, column.source) for column in self.columns])

    @cached_property
    def definitions(self) -> Part:
        """The columns for CREATE TABLE."""
        return listed(
            [
                identifier(column.name) + raw(" ") + type_ + _collate(collation) + raw(" NOT NULL")
                for column, type_, collation in zip(self.columns, self.types, self.collations, strict=True)
            ]
        )

    @cached_property
    def named_types(self) -> Part:
        """The columns of our tables with their types, as a function returns them."""
        return listed(
            [identifier(column.name) + raw(" ") + type_ for column, type_ in zip(self.columns, self.types, strict=True)]
        )

    def text(self, relation: str | None = None) -> Part:
        """Return the columns of one of our tables as text."""
        place = () if relation is None else (relation,)
        return listed([text_of(identifier(*place, column.name)) for column in self.columns])

    # --- k1, k2, ...

    @cached_property
    def ks(self) -> Part:
        """The columns k1, k2, ..."""
        return listed(self.k)

    @cached_property
    def k_text(self) -> Part:
        """The columns k1, k2, ... as text."""
        return listed(map(text_of, self.k))

    @cached_property
    def k_typed(self) -> Part:
        """The columns k1, k2, ... cast from text to their types."""
        return listed([k + raw("::") + type_ for k, type_ in zip(self.k, self.types, strict=True)])

    @cached_property
    def k_types(self) -> Part:
        """The columns k1, k2, ... with their types, as a function returns them."""
        return listed([k + raw(" ") + type_ for k, type_ in zip(self.k, self.types, strict=True)])

    @cached_property
    def k_collated(self) -> Part:
        """The columns k1, k2, ... with the key's collations, which the result of a function cannot have."""
        return listed(
            [k + _collate(collation) + raw(" AS ") + k for k, collation in zip(self.k, self.collations, strict=True)]
        )

    @cached_property
    def k_descending(self) -> Part:
        """The columns k1, k2, ... for ORDER BY, the last key first."""
        return listed([k + raw(" DESC") for k in self.k])

    @cached_property
    def source_as_k(self) -> Part:
        """The columns of the relation `source` as k1, k2, ..., in the types that they have here."""
        return listed(
            [
                identifier("source", column.source) + raw("::") + type_ + raw(" AS ") + k
                for column, type_, k in zip(self.columns, self.types, self.k, strict=True)
            ]
        )

    @cached_property
    def order(self) -> Part:
        """The columns by number, for ORDER BY where they come first."""
        return raw(", ".join(map(str, self.numbers)))

    # --- conditions

    def is_source(self, source: str, ours: Part) -> Part:
        """Return the condition that the source's row `source` has the key of the row `ours` of one of our tables."""
        return all_of(
            [
                equal(identifier(source, column.source), ours + raw(".") + identifier(column.name))
                for column in self.columns
            ]
        )

    def is_both(self, one: str, other: str) -> Part:
        """Return the condition that the rows `one` and `other` of our tables have the same key."""
        return all_of([equal(identifier(one, column.name), identifier(other, column.name)) for column in self.columns])

    def is_both_source(self, one: str, other: str) -> Part:
        """Return the condition that the rows `one` and `other` of the source have the same key."""
        return all_of(
            [equal(identifier(one, column.source), identifier(other, column.source)) for column in self.columns]
        )

    def is_claim(self, relation: str, in_source: bool = False) -> Part:
        """Return the condition that the row has the key of the row `claim`, whose k1, k2, ... are text or enums."""
        return all_of(
            [
                equal(
                    identifier(relation, column.source if in_source else column.name),
                    raw("claim.") + k + raw("::") + type_,
                )
                for column, type_, k in zip(self.columns, self.types, self.k, strict=True)
            ]
        )

    def is_k(self, k: str, relation: Part, in_source: bool = False) -> Part:
        """Return the condition that the row has the key of the row `k`, whose k1, k2, ... have the key's types."""
        return all_of(
            [
                equal(
                    raw(f"{k}.") + name, relation + raw(".") + identifier(column.source if in_source else column.name)
                )
                for column, name in zip(self.columns, self.k, strict=True)
            ]
        )

    def is_parameters(self, source: str) -> Part:
        """Return the condition that the source's row `source` has the key in the parameters $1, $2, ..."""
        return all_of(
            [
                equal(identifier(source, column.source), raw(f"${i}"))
                for i, column in zip(self.numbers, self.columns, strict=True)
            ]
        )

    # --- parameters

    @cached_property
    def arrays(self) -> Part:
        """The arrays $1, $2, ... of the columns as rows: of text, of enums as they are.

        A parameter that has the type of the enum is read by Postgres. Text would be cast, perhaps by a function of the
        enum's owner, which would run as whoever encodes.
        """
        types = (column.full_type if column.enum else "pg_catalog.text" for column in self.columns)
        return raw(", ".join(f"pg_catalog.unnest(${i}::{type_}[])" for i, type_ in enumerate(types, 1)))

    @cached_property
    def text_arrays(self) -> Part:
        """The arrays $1, $2, ... as rows inside a function, where all are of text."""
        return raw(", ".join(f"pg_catalog.unnest(${i}::pg_catalog.text[])" for i in self.numbers))

    @cached_property
    def array_types(self) -> Part:
        """The types of those arrays, as arguments of a function."""
        return raw(", ".join("pg_catalog.text[]" for _ in self.columns))

    def parameter(self, place: int, type_: str = "") -> Part:
        """Return the parameter that is `place` places after the arrays; the first is 1."""
        return raw(f"${len(self.columns) + place}{type_}")

    def parameters(self, first: int = 1) -> Part:
        """Return the key as parameters, one for each column; the first has the number `first`."""
        return listed([raw(f"${i}::") + type_ for i, type_ in enumerate(self.types, first)])

    def from_array(self, array: str) -> Part:
        """Return the key from an array of text, for a function of the source's owner."""
        return listed([raw(f"{array}[{i}]::") + type_ for i, type_ in zip(self.numbers, self.types, strict=True)])


def all_of(conditions: Iterable[Part]) -> Part:
    """Return the conditions joined by AND."""
    return listed(conditions, " AND ")


def as_set(names: Iterable[str]) -> str:
    """Return the names of the key's columns as one text that does not depend on their order."""
    return as_text(listed(map(identifier, sorted(names))))


def _collate(collation: Part | None) -> Part:
    return raw("") if collation is None else raw(" COLLATE ") + collation
