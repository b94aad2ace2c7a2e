"""The database objects of a collection, as SQL made from its description.

`Objects` holds the fragments that the templates in `sql/queries/` are filled with: quoted names, and the key written
in each of the ways that a statement needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from psycopg import sql

from pgencoder.sql import (
    Part,
    Quoted,
    equal,
    identifier,
    listed,
    numbered,
    own,
    query,
    raw,
    text_of,
    unnested,
)
from pgencoder.types import Collection, Generation

# What a value looks like as text must not depend on the session
TEXT_SETTINGS = (
    "SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1"
    " SET bytea_output = 'hex'"
)


# The policy's name: where somebody drops the table, Postgres names the policy, and so what is to be done
POLICY = "pgencoder detach "


@dataclass(frozen=True)
class Known:
    """Names that only a database can say, for SQL that is made without one: as SQL that may be `Late`.

    The number of the generation, and the types and collations of the key.
    """

    number: Part | None = None
    types: Sequence[Part] | None = None
    collations: Sequence[Part | None] | None = None


class Objects:
    """SQL fragments for a collection and one of its generations, the active one unless another is given.

    `vector` is the schema of pgvector. `known` takes the place of what the descriptions say.
    """

    def __init__(
        self, collection: Collection, vector: str, generation: Generation | None = None, known: Known | None = None
    ) -> None:
        self.collection = collection
        self.generation = collection.generation if generation is None else generation
        self.vector_schema = vector
        self.vector = identifier(vector)
        self.known = Known() if known is None else known
        self.number = raw(str(self.generation.number)) if self.known.number is None else self.known.number
        self.types = self.known.types or [raw(column.full_type) for column in collection.key]
        self.collations = self.known.collations or [
            raw(column.collation) if column.collation else None for column in collection.key
        ]
        self.source = identifier(collection.source_schema, collection.source_table)
        self.passages = numbered(collection.name, self.number)
        self.queue = numbered(collection.name, self.number, "_queue")
        self.write = numbered(collection.name, self.number, "_write")
        self.build = numbered(collection.name, self.number, "_build")
        self.index = numbered(collection.name, self.number, "_dense", schema=None)
        self.changed = own(f"{collection.name}_changed")
        self.search = own(f"{collection.name}_search")
        self.view = own(f"{collection.name}_passages")
        self.active = own(f"{collection.name}_active")
        self.read = own(f"{collection.name}_read")
        self.scan = own(f"{collection.name}_scan")
        self.visible = own(f"{collection.name}_visible")
        self.rows = own(f"{collection.name}_rows")
        self.name = sql.Literal(collection.name)

    def of(self, generation: Generation) -> Objects:
        """The same collection with another of its generations."""
        return Objects(self.collection, self.vector_schema, generation, replace(self.known, number=None))

    @cached_property
    def key(self) -> Part:
        """The key columns' names in the passages table."""
        return listed(identifier(column.name) for column in self.collection.key)

    @cached_property
    def key_definitions(self) -> Part:
        """The key columns as CREATE TABLE takes them."""
        return listed(
            identifier(column.name) + raw(" ") + type_ + _collated(collation) + raw(" NOT NULL")
            for column, type_, collation in zip(self.collection.key, self.types, self.collations, strict=True)
        )

    @cached_property
    def token_type(self) -> Part:
        """The type of one token vector; without tokens, that of empty arrays: so statements are the same."""
        dims = self.generation.dims.tokens
        types = {"bit": raw(f"bit({dims})"), "halfvec": self.vector + raw(f".halfvec({dims})"), "none": raw("bit(1)")}
        return types[self.generation.token_type]

    def key_columns(self, relation: Part) -> Part:
        """The key columns of a table of ours, under the name `relation`."""
        return listed(relation + raw(".") + identifier(column.name) for column in self.collection.key)

    def source_columns(self, relation: str) -> Part:
        """The key columns of the source, under the name `relation`."""
        return listed(identifier(relation, column.source) for column in self.collection.key)

    def key_text(self, relation: str | None = None) -> Part:
        """The key columns of a table of ours as text."""
        return listed(
            text_of(identifier(*([] if relation is None else [relation]), column.name))
            for column in self.collection.key
        )

    def matches(self, source: str, passage: Part) -> Part:
        """The row `source` of the source table belongs to the row `passage` of a table of ours."""
        return all_of(
            equal(identifier(source, column.source), passage + raw(".") + identifier(column.name))
            for column in self.collection.key
        )

    def claimed(self, relation: str, in_source: bool = False) -> Part:
        """The row has the key of the row `claim`, whose columns k1, k2, ... are the key: text, or enums."""
        return all_of(
            equal(identifier(relation, column.source if in_source else column.name), raw(f"claim.k{i}::") + type_)
            for i, column, type_ in zip(self.numbers, self.collection.key, self.types, strict=True)
        )

    @cached_property
    def numbers(self) -> range:
        """1, 2, ... for the key columns."""
        return range(1, len(self.collection.key) + 1)

    @cached_property
    def order(self) -> Part:
        """The key columns by number, for ORDER BY where they come first."""
        return raw(", ".join(str(i) for i in self.numbers))

    @cached_property
    def claim_columns(self) -> Part:
        """The columns of `claim`."""
        return raw(", ".join(f"k{i}" for i in self.numbers))

    @cached_property
    def scanned(self) -> Part:
        """The columns of `scan` with the key's collations, which a function's result cannot have."""
        return listed(
            raw(f"k{i}") + _collated(collation) + raw(f" AS k{i}") for i, collation in enumerate(self.collations, 1)
        )

    @cached_property
    def descending(self) -> Part:
        """The columns of `claim` for ORDER BY, the last key first."""
        return raw(", ".join(f"k{i} DESC" for i in self.numbers))

    @cached_property
    def unnest_keys(self) -> Part:
        """The claimed keys, one array parameter for each key column: $1, $2, ..."""
        return unnested(self.collection.key)

    @cached_property
    def claimed_text(self) -> Part:
        """The claimed keys inside a function, whose arguments are arrays of text."""
        return raw(", ".join(f"pg_catalog.unnest(${i}::pg_catalog.text[])" for i in self.numbers))

    @cached_property
    def source_key(self) -> Part:
        """The key columns of the source as k1, k2, ..., of the types that they have here."""
        return listed(
            identifier("source", column.source) + raw("::") + type_ + raw(f" AS k{i}")
            for i, column, type_ in zip(self.numbers, self.collection.key, self.types, strict=True)
        )

    @cached_property
    def outputs(self) -> Part:
        """The key columns as a function returns them: k1, k2, ..."""
        return listed(raw(f"k{i} ") + type_ for i, type_ in enumerate(self.types, 1))

    def parameter(self, place: int, type_: str = "") -> Part:
        """The parameter `place` places after the key arrays, from 1."""
        return raw(f"${len(self.collection.key) + place}{type_}")

    def key_from(self, array: str) -> Part:
        """The key out of a text array, inside a function of the source's owner."""
        return listed(raw(f"{array}[{i}]::") + type_ for i, type_ in enumerate(self.types, 1))

    def key_parameters(self, first: int) -> Part:
        """The key as parameters from that number on, one for each column."""
        return listed(raw(f"${i}::") + type_ for i, type_ in enumerate(self.types, first))

    def fill(self, template: str, /, **parts: Part) -> sql.Composed:
        """A template of `sql/queries/`, filled with the parts that every one may use and those given."""
        common = {
            "name": self.name,
            "passages": self.passages,
            "queue": self.queue,
            "write": self.write,
            "view": self.view,
            "active": self.active,
            "build": self.build,
            "read": self.read,
            "scan": self.scan,
            "visible": self.visible,
            "rows": self.rows,
            "source": self.source,
            "source_name": Quoted(self.source),
            "passages_name": Quoted(self.passages),
            "queue_name": Quoted(self.queue),
            "number": self.number,
            "outputs": self.outputs,
            "key_types": listed(self.types),
            "key": self.key,
            "order": self.order,
            "vector": self.vector,
            "unnest_keys": self.unnest_keys,
            "claim_columns": self.claim_columns,
            "text_settings": raw(TEXT_SETTINGS),
            "scanned": self.scanned,
            "descending": self.descending,
            "queue_is_claim": self.claimed("queue"),
            "passage_is_claim": self.claimed("passage"),
        }
        return query(template).format(**(common | parts))


def _collated(collation: Part | None) -> Part:
    return raw("") if collation is None else raw(" COLLATE ") + collation


def all_of(conditions: Iterable[Part]) -> Part:
    """The conditions, with AND between."""
    return listed(conditions, " AND ")


def queue_keys(objects: Objects, queues: Part, keys: Part) -> Part:
    """The statement that queues what the query `keys` returns as changed, by `queues`: see `queues_of`."""
    return objects.fill("queue_keys", queues=queues, keys=keys)


def queues_of(objects: Objects, generations: Sequence[Generation]) -> Part:
    """The parts of a statement that queue changed keys, one for each generation."""
    return listed(queue_changed(objects.of(generation)) for generation in generations)


def queue_changed(objects: Objects) -> Part:
    """The part of a statement that queues changed keys for one generation."""
    return objects.fill("queue_changed", part=numbered("queue", objects.number, schema=None))
