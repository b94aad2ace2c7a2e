"""The database objects of a collection, as SQL made from its description.

`Objects` holds the fragments that the templates in `sql/queries/` are filled with: quoted names, and the key written
in each of the ways that a statement needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.sql import SCHEMA, Part, as_text, content, identifier, listed, own, query, raw
from pgencoder.types import Collection


class Objects:
    """SQL fragments for one collection and its generation; `vector` is the schema of pgvector."""

    def __init__(self, collection: Collection, vector: str) -> None:
        self.collection = collection
        self.generation = collection.generation
        self.vector = identifier(vector)
        self.source = identifier(collection.source_schema, collection.source_table)
        self.passages = own(self.generation.passages)
        self.queue = own(self.generation.queue)
        self.changed = own(f"{collection.name}_changed")
        self.search = own(f"{collection.name}_search")

    @cached_property
    def key(self) -> Part:
        """The key columns' names in the passages table."""
        return listed(identifier(column.name) for column in self.collection.key)

    @cached_property
    def key_definitions(self) -> Part:
        """The key columns as CREATE TABLE takes them."""
        return listed(
            identifier(column.name)
            + raw(f" {column.type}{' COLLATE ' + column.collation if column.collation else ''} NOT NULL")
            for column in self.collection.key
        )

    def source_columns(self, relation: str) -> Part:
        """The key columns of the source, under the name `relation`."""
        return listed(identifier(relation, column.source) for column in self.collection.key)

    def matches(self, source: str, passage: str) -> Part:
        """The row `source` of the source table belongs to the row `passage` of a table of ours."""
        return _all(
            identifier(source, column.source) + raw(" = ") + identifier(passage, column.name)
            for column in self.collection.key
        )

    def claimed(self, relation: str, in_source: bool = False) -> Part:
        """The row has the key of the row `claim`, whose columns k1, k2, ... are the key as text."""
        return _all(
            identifier(relation, column.source if in_source else column.name) + raw(f" = claim.k{i}::{column.type}")
            for i, column in enumerate(self.collection.key, 1)
        )

    @cached_property
    def claim_columns(self) -> Part:
        """The columns of `claim`."""
        return raw(", ".join(f"k{i}" for i, _ in enumerate(self.collection.key, 1)))

    @cached_property
    def unnest_keys(self) -> Part:
        """The claimed keys, one array parameter for each key column: $1, $2, ..."""
        return raw(", ".join(f"unnest(${i}::text[])" for i, _ in enumerate(self.collection.key, 1)))

    def text(self, name: str, **parts: Part) -> str:
        """The template `name`, filled, for a statement without parameters."""
        return as_text(self.fill(name, **parts))

    def fill(self, name: str, **parts: Part) -> sql.Composed:
        """The template `name`, filled with the parts that every template may use and those given."""
        return query(name).format(
            passages=self.passages,
            queue=self.queue,
            source=self.source,
            key=self.key,
            vector=self.vector,
            unnest_keys=self.unnest_keys,
            claim_columns=self.claim_columns,
            seqs=raw(f"${len(self.collection.key) + 1}::bigint[]"),
            error=raw(f"${len(self.collection.key) + 2}"),
            **parts,
        )


def create_tables(connection: Connection, objects: Objects) -> None:
    """The passages table, with row level security, and the queue."""
    generation = objects.generation
    token_type = (
        raw(f"bit({generation.dims.tokens})")
        if generation.token_type == "bit"
        else (objects.vector + raw(f".halfvec({generation.dims.tokens})"))
    )
    connection.execute(
        objects.fill(
            "create_passages",
            key_definitions=objects.key_definitions,
            dense_dims=raw(str(generation.dims.dense)),
            token_type=token_type,
            source_is_passage=objects.matches("source", generation.passages),
            comment=sql.Literal(f"pgencoder: {objects.collection.name}, generation {generation.number}"),
        )
    )


def create_changed(connection: Connection, objects: Objects) -> None:
    """The trigger function that queues the keys of changed rows."""
    columns = objects.collection.columns

    def queue_keys(keys: Part) -> str:
        order = raw(", ".join(str(i) for i, _ in enumerate(objects.collection.key, 1)))
        return objects.text("queue_keys", keys=keys, order=order)

    def keys_of(relation: str) -> Part:
        return sql.SQL("SELECT {} FROM {} AS {}").format(
            objects.source_columns(relation), identifier(f"{relation}_rows"), identifier(relation)
        )

    same_key = _all(
        identifier("new", column.source) + raw(" = ") + identifier("old", column.source)
        for column in objects.collection.key
    )
    updated = objects.fill(
        "updated_keys",
        new_key=objects.source_columns("new"),
        old_key=objects.source_columns("old"),
        same_key=same_key,
        new_content=content(columns, "new"),
        old_content=content(columns, "old"),
    )
    body = objects.fill(
        "changed_body",
        queue_new=sql.Literal(queue_keys(keys_of("new"))),
        queue_old=sql.Literal(queue_keys(keys_of("old"))),
        queue_updated=sql.Literal(queue_keys(updated)),
        remove_orphans=sql.Literal(
            objects.text(
                "remove_orphans",
                source_is_passage=objects.matches("source", "passage"),
                source_is_queue=objects.matches("source", "queue"),
            )
        ),
    )
    connection.execute(
        objects.fill(
            "create_changed",
            function=objects.changed,
            body=sql.Literal(as_text(body)),
            comment=sql.Literal(f"pgencoder: queues the changes of {objects.collection.name}"),
        )
    )


def create_triggers(connection: Connection, objects: Objects, relations: Sequence[tuple[str, str]]) -> None:
    """Statement-level triggers on the source, and on its partitions for statements that name one of them."""
    names = {
        f"{event}_trigger": identifier(f"pgencoder_{objects.collection.name}_{event}")
        for event in ("insert", "update", "delete", "truncate")
    }
    for schema, table in relations:
        connection.execute(
            objects.fill("create_triggers", relation=identifier(schema, table), function=objects.changed, **names)
        )


def queue_existing(connection: Connection, objects: Objects) -> int:
    """Queue every row of the source and remember that it was done; returns how many there are."""
    keys = sql.SQL("SELECT {} FROM {} AS {}").format(
        objects.source_columns("source"), objects.source, identifier("source")
    )
    order = raw(", ".join(str(i) for i, _ in enumerate(objects.collection.key, 1)))
    with connection.transaction():
        queued = connection.execute(objects.text("queue_keys", keys=keys, order=order).encode()).rowcount
        connection.execute(
            "UPDATE pgencoder.generation SET queued_at = now() WHERE collection = %s AND number = %s",
            [objects.collection.name, objects.generation.number],
        )
    return queued


def drop(connection: Connection, objects: Objects) -> None:
    """Remove the triggers, functions, tables and catalogue rows of a collection."""
    # the triggers go with their function
    connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(objects.changed))
    _drop_search(connection, objects)
    for table in (objects.passages, objects.queue):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    connection.execute("DELETE FROM pgencoder.collection WHERE name = %s", [objects.collection.name])


def _drop_search(connection: Connection, objects: Objects) -> None:
    rows = connection.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = %s::regnamespace AND proname = %s",
        [SCHEMA, f"{objects.collection.name}_search"],
    ).fetchall()
    for (signature,) in rows:
        connection.execute(sql.SQL("DROP FUNCTION {}").format(raw(signature)))


def _all(conditions: Any) -> Part:
    return listed(conditions, " AND ")
