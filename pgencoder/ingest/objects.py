"""The database objects of a collection, as SQL made from its description.

`Objects` holds the fragments that the templates in `sql/queries/` are filled with: quoted names, and the key written
in each of the ways that a statement needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property

from psycopg import errors as pg
from psycopg import sql

from pgencoder.db import catalog
from pgencoder.db.connection import Connection
from pgencoder.errors import InvalidRequest
from pgencoder.sql import SCHEMA, Part, as_text, content, equal, identifier, listed, own, query, raw
from pgencoder.types import Collection, Generation

# What a value looks like as text must not depend on the session
TEXT_SETTINGS = (
    "SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1"
    " SET bytea_output = 'hex'"
)


class Objects:
    """SQL fragments for a collection and one of its generations, the active one unless another is given.

    `vector` is the schema of pgvector.
    """

    def __init__(self, collection: Collection, vector: str, generation: Generation | None = None) -> None:
        self.collection = collection
        self.generation = collection.generation if generation is None else generation
        self.vector_schema = vector
        self.vector = identifier(vector)
        self.source = identifier(collection.source_schema, collection.source_table)
        self.passages = own(self.generation.passages)
        self.queue = own(self.generation.queue)
        self.write = own(f"{self.generation.passages}_write")
        self.build = own(f"{self.generation.passages}_build")
        self.changed = own(f"{collection.name}_changed")
        self.search = own(f"{collection.name}_search")
        self.view = own(f"{collection.name}_passages")
        self.active = own(f"{collection.name}_active")
        self.read = own(f"{collection.name}_read")
        self.scan = own(f"{collection.name}_scan")
        self.visible = own(f"{collection.name}_visible")
        self.name = sql.Literal(collection.name)

    def of(self, generation: Generation) -> Objects:
        """The same collection with another of its generations."""
        return Objects(self.collection, self.vector_schema, generation)

    @cached_property
    def key(self) -> Part:
        """The key columns' names in the passages table."""
        return listed(identifier(column.name) for column in self.collection.key)

    @cached_property
    def key_definitions(self) -> Part:
        """The key columns as CREATE TABLE takes them."""
        return listed(
            identifier(column.name)
            + raw(f" {column.full_type}{' COLLATE ' + column.collation if column.collation else ''} NOT NULL")
            for column in self.collection.key
        )

    @cached_property
    def token_type(self) -> Part:
        """The type of one token vector; without tokens, that of empty arrays: so statements are the same."""
        dims = self.generation.dims.tokens
        types = {"bit": raw(f"bit({dims})"), "halfvec": self.vector + raw(f".halfvec({dims})"), "none": raw("bit(1)")}
        return types[self.generation.token_type]

    def key_columns(self, relation: str) -> Part:
        """The key columns of a table of ours, under the name `relation`."""
        return listed(identifier(relation, column.name) for column in self.collection.key)

    def source_columns(self, relation: str) -> Part:
        """The key columns of the source, under the name `relation`."""
        return listed(identifier(relation, column.source) for column in self.collection.key)

    def key_text(self, relation: str | None = None) -> Part:
        """The key columns of a table of ours as text."""
        names = [column.name for column in self.collection.key]
        return listed(
            (identifier(name) if relation is None else identifier(relation, name)) + raw("::pg_catalog.text")
            for name in names
        )

    def matches(self, source: str, passage: str) -> Part:
        """The row `source` of the source table belongs to the row `passage` of a table of ours."""
        return all_of(
            equal(identifier(source, column.source), identifier(passage, column.name)) for column in self.collection.key
        )

    def claimed(self, relation: str, in_source: bool = False) -> Part:
        """The row has the key of the row `claim`, whose columns k1, k2, ... are the key as text."""
        return all_of(
            equal(
                identifier(relation, column.source if in_source else column.name),
                raw(f"claim.k{i}::{column.full_type}"),
            )
            for i, column in enumerate(self.collection.key, 1)
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
            raw(f"k{i}{' COLLATE ' + column.collation if column.collation else ''} AS k{i}")
            for i, column in enumerate(self.collection.key, 1)
        )

    @cached_property
    def descending(self) -> Part:
        """The columns of `claim` for ORDER BY, the last key first."""
        return raw(", ".join(f"k{i} DESC" for i in self.numbers))

    @cached_property
    def unnest_keys(self) -> Part:
        """The claimed keys, one array parameter for each key column: $1, $2, ..."""
        return raw(", ".join(f"pg_catalog.unnest(${i}::pg_catalog.text[])" for i in self.numbers))

    def parameter(self, place: int, type_: str = "") -> Part:
        """The parameter `place` places after the key arrays, from 1."""
        return raw(f"${len(self.collection.key) + place}{type_}")

    def key_from(self, array: str) -> Part:
        """The key out of a text array."""
        return raw(", ".join(f"{array}[{i}]::{column.full_type}" for i, column in enumerate(self.collection.key, 1)))

    def text(self, template: str, /, **parts: Part) -> str:
        """A template, filled, for a statement without parameters."""
        return as_text(self.fill(template, **parts))

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
            "source": self.source,
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


def all_of(conditions: Iterable[Part]) -> Part:
    """The conditions, with AND between."""
    return listed(conditions, " AND ")


def create_collection(connection: Connection, objects: Objects) -> None:
    """Everything of a new collection with one generation, but for its search function."""
    create_tables(connection, objects)
    create_functions(connection, objects, [objects.generation])
    create_triggers(connection, objects)


def become_owner(connection: Connection, objects: Objects) -> None:
    """Make what follows in the transaction belong to whom the collection belongs to.

    The trigger runs as that role: were a new queue a superuser's, the applications' writes would fail.
    """
    connection.execute("SELECT pg_catalog.set_config('role', 'none', true)")
    connection.execute(
        "SELECT pg_catalog.set_config('role', r.rolname, true) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)"
        " AND r.rolname OPERATOR(pg_catalog.<>) current_user",
        [objects.passages.as_string(connection)],
    )


def create_tables(connection: Connection, objects: Objects) -> None:
    """The passages table of a generation, with row level security, and its queue."""
    generation = objects.generation
    connection.execute(
        objects.fill(
            "create_passages",
            key_definitions=objects.key_definitions,
            dense_dims=raw(str(generation.dims.dense)),
            token_type=objects.token_type,
            comment=_comment(objects, f"generation {generation.number}"),
        )
    )


def create_functions(connection: Connection, objects: Objects, generations: Sequence[Generation]) -> None:
    """Make, or make anew, what is stored for a collection: the trigger's function and what workers go through."""
    create_changed(connection, objects, generations)
    _create_read(connection, objects)
    for generation in generations:
        create_generation(connection, objects.of(generation))


def create_generation(connection: Connection, objects: Objects) -> None:
    """The view that workers write through, and the function that builds the index."""
    generation = objects.generation
    build = objects.text("build_body", index=identifier(generation.index))
    connection.execute(
        objects.fill(
            "create_generation",
            write_body=sql.Literal(objects.text("write_body")),
            build_body=sql.Literal(build),
            source_name=sql.Literal(objects.source.as_string(connection)),
            passage_key=objects.key_columns(generation.passages),
            source_is_passage=objects.matches("source", generation.passages),
            comment=_comment(objects, f"generation {generation.number}, for workers"),
        )
    )


def _create_read(connection: Connection, objects: Objects) -> None:
    """The functions by which workers see the source: rows by their keys, and the keys in order."""
    rows = objects.text(
        "read_rows",
        content=content(objects.collection.columns, "source"),
        source_key=_named(objects),
        source_is_claim=objects.claimed("source", in_source=True),
        bytes=objects.parameter(1),
    )
    scan = objects.text(
        "scan_rows",
        content=content(objects.collection.columns, "source"),
        source_key=_named(objects),
        source_order=objects.source_columns("source"),
        after=objects.key_from("$1"),
    )

    def body(statement: str, arguments: str) -> Part:
        return sql.Literal(objects.text("return_query", statement=sql.Literal(statement), arguments=raw(arguments)))

    visible = objects.text(
        "visible_body",
        source_is_key=all_of(
            equal(identifier("source", column.source), raw(f"${i}"))
            for i, column in zip(objects.numbers, objects.collection.key, strict=True)
        ),
        hash=objects.parameter(1),
        content=content(objects.collection.columns, "source"),
    )
    keys = [f"key{i}" for i in objects.numbers]
    outputs = [f"k{i} {column.full_type}" for i, column in enumerate(objects.collection.key, 1)]
    connection.execute(
        objects.fill(
            "create_read",
            key_arrays=raw(", ".join(f"{key} pg_catalog.text[]" for key in keys)),
            key_array_types=raw(", ".join("pg_catalog.text[]" for _ in keys)),
            outputs=raw(", ".join(outputs)),
            read_body=body(rows, ", ".join([*keys, "bytes"])),
            scan_body=body(scan, "after, count, hashed"),
            key_types=raw(", ".join(column.full_type for column in objects.collection.key)),
            visible_body=sql.Literal(visible),
            visible_comment=_comment(objects, "whether the caller may see a row that holds what was hashed"),
            read_comment=_comment(objects, "rows by their keys, contents up to some bytes"),
            scan_comment=_comment(objects, "keys in order after one, with the hash of their contents"),
        )
    )


def _named(objects: Objects) -> Part:
    return listed(
        identifier("source", column.source) + raw(f" AS k{i}") for i, column in enumerate(objects.collection.key, 1)
    )


def create_changed(connection: Connection, objects: Objects, generations: Sequence[Generation]) -> None:
    """The trigger function that queues the keys of changed rows for every generation."""
    columns = objects.collection.columns

    def keys_of(relation: str) -> Part:
        return sql.SQL("SELECT {} FROM {} AS {}").format(
            objects.source_columns(relation), identifier(f"{relation}_rows"), identifier(relation)
        )

    same_key = all_of(
        equal(identifier("new", column.source), identifier("old", column.source)) for column in objects.collection.key
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
        new_keys=sql.Literal(as_text(keys_of("new"))),
        old_keys=sql.Literal(as_text(keys_of("old"))),
        updated_keys=sql.Literal(as_text(updated)),
        queue_keys=sql.Literal(queue_keys(objects, generations)),
        late_keys=sql.Literal(objects.text("late_keys", key_text=objects.key_text())),
    )
    connection.execute(
        objects.fill(
            "create_changed",
            function=objects.changed,
            body=sql.Literal(as_text(body)),
            comment=_comment(objects, "queues what changes"),
        )
    )


def queue_keys(objects: Objects, generations: Sequence[Generation]) -> str:
    """The statement that queues keys as changed for all generations; a query of them replaces its comment `keys`."""
    queues = (
        objects.of(generation).fill("queue_changed", name=identifier(f"queue_{generation.number}"))
        for generation in generations
    )
    return objects.text("queue_keys", queues=listed(queues))


def create_view(connection: Connection, objects: Objects) -> None:
    """Let `<name>_passages` show the passages of the active generation, to whoever may read those.

    `<name>_active` describes it to them, see `catalog.description`.

    Raises InvalidRequest where its columns change and another view depends on them.
    """
    names = [as_text(relation) for relation in (objects.view, objects.passages)]
    readers = connection.execute(
        "SELECT DISTINCT CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'"
        "  ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END"
        " FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g WHERE c.oid OPERATOR(pg_catalog.=) ANY"
        "  (ARRAY[pg_catalog.to_regclass(%s), pg_catalog.to_regclass(%s)]::pg_catalog.oid[])"
        " AND g.privilege_type OPERATOR(pg_catalog.=) 'SELECT' AND g.grantee OPERATOR(pg_catalog.<>) c.relowner",
        names,
    ).fetchall()
    statement = objects.fill("create_view", comment=_comment(objects, "passages of the active generation"))
    try:
        with connection.transaction():
            connection.execute(statement)
    except pg.InvalidTableDefinition as changed:  # another type of tokens, or other dimensions
        try:
            connection.execute(sql.SQL("DROP VIEW {}").format(objects.view))
        except pg.DependentObjectsStillExist as error:
            raise InvalidRequest(
                f"the columns of {names[0]} change, and {error.diag.message_detail}: drop that first, and make it again"
            ) from changed
        connection.execute(statement)
    connection.execute(
        objects.fill(
            "create_active",
            description=sql.Literal(json.dumps(catalog.description(objects.collection))),
            comment=_comment(objects, "the active generation"),
        )
    )
    grants = sql.SQL("GRANT SELECT ON {view} TO {reader}; GRANT EXECUTE ON FUNCTION {active}() TO {reader}")
    for (reader,) in readers:
        connection.execute(grants.format(view=objects.view, active=objects.active, reader=raw(reader)))


def create_triggers(connection: Connection, objects: Objects) -> None:
    """Statement-level triggers on the source, and on its partitions for statements that name one of them."""
    names = {
        f"{event}_trigger": identifier(f"pgencoder_{objects.collection.name}_{event}")
        for event in ("insert", "update", "delete", "truncate")
    }
    triggers = objects.text("create_triggers", function=objects.changed, **names)
    body = objects.text(
        "each_relation",
        source_name=sql.Literal(objects.source.as_string(None)),
        statements=sql.Literal(triggers),
    )
    connection.execute(sql.SQL("DO {}").format(sql.Literal(body)))


def drop_generation(connection: Connection, objects: Objects) -> None:
    """Remove the tables and functions of a generation, and its row in the catalogue."""
    passages = objects.generation.passages
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.write))
    for function in ("write", "build"):
        _drop_function(connection, f"{passages}_{function}")
    for table in (objects.passages, objects.queue):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    connection.execute(
        "DELETE FROM pgencoder.generation"
        " WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s",
        [objects.generation.collection, objects.generation.number],
    )


def drop_overloads(connection: Connection, objects: Objects, arguments: int) -> None:
    """Remove search functions of older versions, which had fewer arguments."""
    _drop_function(connection, f"{objects.collection.name}_search", but_for=arguments)


def _drop_function(connection: Connection, name: str, but_for: int = -1) -> None:
    rows = connection.execute(
        "SELECT oid::pg_catalog.regprocedure::pg_catalog.text FROM pg_catalog.pg_proc"
        " WHERE pronamespace OPERATOR(pg_catalog.=) %s::pg_catalog.regnamespace AND proname OPERATOR(pg_catalog.=) %s"
        " AND pronargs OPERATOR(pg_catalog.<>) %s",
        [SCHEMA, name, but_for],
    ).fetchall()
    for (signature,) in rows:
        connection.execute(sql.SQL("DROP FUNCTION {}").format(raw(signature)))


def _comment(objects: Objects, what: str) -> Part:
    return sql.Literal(f"pgencoder: {objects.collection.name}, {what}")
