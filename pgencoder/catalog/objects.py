"""The database objects of a collection, as SQL made from its description.

`Objects` holds what the templates in `sql/queries/` are filled with: quoted names, and the fragments of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from pgencoder.catalog.keys import Key
from pgencoder.catalog.names import Names
from pgencoder.representations import Representation
from pgencoder.statements import Part, Quoted, identifier, listed, numbered, query, raw
from pgencoder.types import Collection, Generation


@dataclass(frozen=True)
class Known:
    """Parts that only a database knows, for SQL that is made without one; they may be `Late`.

    They are the number of the generation, and the types and collations of the key.
    """

    number: Part | None = None
    types: Sequence[Part] | None = None
    collations: Sequence[Part | None] | None = None


class Objects(Names):
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
        super().__init__(collection.name, self.number)
        self.key = Key(collection.key, self.known.types, self.known.collations)
        self.source = identifier(collection.source_schema, collection.source_table)
        self.name = sql.Literal(collection.name)

    def of(self, generation: Generation) -> Objects:
        """Return the objects of another generation of the same collection."""
        return Objects(self.collection, self.vector_schema, generation, replace(self.known, number=None))

    def stored(self) -> Part:
        """Return the columns of the representations."""
        every = [column for each in self.generation.representations for column in each.columns(self.vector)]
        return listed(identifier(column.name) for column in every)

    def written(self, relation: str | None = None) -> Part:
        """Return those of these columns that the server does not make by itself, perhaps of a `relation`.

        There is a comma before each, because there may be none.
        """
        before = () if relation is None else (relation,)
        names = [name for each in self.generation.representations for name in each.written]
        return listed((sql.SQL(", {}").format(identifier(*before, name)) for name in names), "")

    def copied(self, relation: str | None = None) -> Part:
        """Return the columns that a worker writes, perhaps of a `relation`, in the order in which it does."""
        before = () if relation is None else (relation,)
        names = [
            *(column.name for column in self.collection.key),
            *("passage", "span", "content", "content_hash", "truncated", "row_hash", "mostly_unknown"),
        ]
        return listed(identifier(*before, name) for name in names) + self.written(relation)

    def made(self, content: Part) -> tuple[Part, Part]:
        """Return the columns that the server makes of a text, a comma before each, and the calls that do, likewise."""
        columns, calls = [], []
        for each in self.generation.representations:
            call = each.made(content)
            if call is not None:
                names = [column.name for column in each.columns(self.vector)]
                alias = f"{each.name}_made"
                columns += [sql.SQL(", {}").format(identifier(name)) for name in names]
                made = sql.SQL(", {} AS {} ({})").format(call, identifier(alias), listed(map(identifier, names)))
                calls.append(made)
        return listed(columns, ""), listed(calls, "")

    @property
    def counted(self) -> list[Representation]:
        """The representations whose terms are counted."""
        return [each for each in self.generation.representations if each.counted is not None]

    def comment(self, text: str | Part) -> Part:
        """Return the text of a comment on one of the objects."""
        start = raw(f"pgencoder: {self.collection.name}, ")
        return Quoted(start + (raw(text) if isinstance(text, str) else text))

    def fill(self, template: str, /, **parts: Part) -> sql.Composed:
        """Fill a template of `sql/queries/` with the parts that all templates may use, and with those given."""
        key = self.key
        common = {
            "name": self.name,
            "passages": self.passages,
            "queue": self.queue,
            "write": self.write,
            "view": self.view,
            "active": self.active,
            "build": self.build,
            "count": self.count,
            "terms": self.terms,
            "lexical": self.lexical,
            "by_lexical": self.by_lexical,
            "sparse": self.sparse,
            "by_sparse": self.by_sparse,
            "read": self.read,
            "scan": self.scan,
            "visible": self.visible,
            "rows": self.rows,
            "source": self.source,
            "source_name": Quoted(self.source),
            "passages_name": Quoted(self.passages),
            "queue_name": Quoted(self.queue),
            "number": self.number,
            "vector": self.vector,
            # what a value looks like as text must not depend on the session
            "text_settings": query("text_settings"),
            "key": key.names,
            "key_types": listed(key.types),
            "order": key.order,
            "outputs": key.k_types,
            "unnest_keys": key.arrays,
            "claim_columns": key.ks,
            "scanned": key.k_collated,
            "descending": key.k_descending,
            "queue_is_claim": key.is_claim("queue"),
            "passage_is_claim": key.is_claim("passage"),
        }
        return query(template).format(**(common | parts))


def queue_keys(objects: Objects, queues: Part, keys: Part) -> Part:
    """Return the statement that queues the keys that the query `keys` returns; for `queues` see `queues_of`."""
    return objects.fill("queue_keys", queues=queues, keys=keys)


def queues_of(objects: Objects, generations: Sequence[Generation]) -> Part:
    """Return the parts of a statement that queue changed keys, one for each generation."""
    return listed([queue_changed(objects.of(generation)) for generation in generations])


def queue_changed(objects: Objects) -> Part:
    """Return the part of a statement that queues changed keys for one generation."""
    return objects.fill("queue_changed", part=numbered("queue", objects.number, schema=None))
