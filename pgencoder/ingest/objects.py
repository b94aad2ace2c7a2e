"""The database objects of a collection, as SQL made from its description.

`Objects` holds the fragments that the templates in `sql/queries/` are filled with: quoted names, and the key written
in each of the ways that a statement needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from psycopg import errors as pg
from psycopg import sql

from pgencoder.db import catalog
from pgencoder.db.connection import Connection
from pgencoder.db.dependents import named_dependents
from pgencoder.ingest.ownership import as_source_owner
from pgencoder.sql import (
    Late,
    Part,
    Quoted,
    as_text,
    assembled,
    block,
    content,
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


def create_collection(connection: Connection, objects: Objects) -> None:
    """Everything of a new collection with one generation, but for its search function."""
    create_tables(connection, objects)
    create_functions(connection, objects, [objects.generation])
    create_policy(connection, objects)
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
            comment=_comment(objects, raw("generation ") + objects.number),
        )
    )


def create_functions(connection: Connection, objects: Objects, generations: Sequence[Generation]) -> None:
    """Make, or replace, what is stored for a collection: the trigger's function and what workers go through.

    Policies are made apart: who has them lets searches find what is there.
    """
    active = next((each for each in generations if each.state == "active"), generations[0])
    with as_source_owner(connection, objects):
        create_changed(connection, objects, queues_of(objects, generations))
        _create_read(connection, objects.of(active))
    _create_visible(connection, objects)
    for generation in generations:
        create_generation(connection, objects.of(generation))


def create_policy(connection: Connection, objects: Objects) -> None:
    """Let the passages of a generation be visible where their row is, to those who may see that.

    By this policy it is known, whatever the table is called later and in restored dumps, which one is attached.
    """
    connection.execute(
        objects.fill(
            "create_policy",
            policy=identifier(f"{POLICY}{objects.collection.name}"),
            passage_key=objects.key_columns(objects.passages),
            row_is_passage=all_of(
                equal(raw(f"source.k{i}"), objects.passages + raw(".") + identifier(column.name))
                for i, column in enumerate(objects.collection.key, 1)
            ),
        )
    )


def create_generation(connection: Connection, objects: Objects) -> None:
    """The view that workers write through, and the function that builds the index."""
    connection.execute(
        objects.fill(
            "create_generation",
            write_body=Quoted(objects.fill("write_body")),
            build_body=Quoted(objects.fill("build_body", index=objects.index)),
            comment=_comment(objects, raw("generation ") + objects.number + raw(", for workers")),
        )
    )
    connection.execute(block(objects.fill("grant_source_owner")))


def _create_read(connection: Connection, objects: Objects) -> None:
    """The functions by which workers see the source: rows by their keys, and the keys in order."""
    rows = objects.fill(
        "read_rows",
        content=content(objects.collection.columns, "source"),
        source_key=objects.source_key,
        source_is_claim=objects.claimed("source", in_source=True),
        unnest_keys=objects.claimed_text,
        bytes=objects.parameter(1),
    )
    scan = objects.fill(
        "scan_rows",
        content=content(objects.collection.columns, "source"),
        source_key=objects.source_key,
        source_order=objects.source_columns("source"),
        after=objects.key_from("$1"),
    )

    def body(statement: Part, arguments: str) -> Part:
        return Quoted(objects.fill("return_query", statement=Quoted(statement), arguments=raw(arguments)))

    keys = [f"key{i}" for i in objects.numbers]
    connection.execute(
        objects.fill(
            "create_read",
            key_arrays=raw(", ".join(f"{key} pg_catalog.text[]" for key in keys)),
            key_array_types=raw(", ".join("pg_catalog.text[]" for _ in keys)),
            read_body=body(rows, ", ".join([*keys, "bytes"])),
            scan_body=body(scan, "after, count, hashed"),
            read_comment=_comment(objects, "rows by their keys, contents up to some bytes"),
            scan_comment=_comment(objects, "keys in order after one, with the hash of their contents"),
        )
    )
    arrays = sql.Literal(", ".join("pg_catalog.text[]" for _ in keys))
    grant = objects.fill("grant_keeper", read_name=Quoted(objects.read), scan_name=Quoted(objects.scan), arrays=arrays)
    connection.execute(block(grant))


def _create_visible(connection: Connection, objects: Objects) -> None:
    """Make what the policies ask: which rows there are for whoever asks, and whether one holds what was hashed."""
    visible = objects.fill(
        "visible_body",
        source_is_key=all_of(
            equal(identifier("source", column.source), raw(f"${i}"))
            for i, column in zip(objects.numbers, objects.collection.key, strict=True)
        ),
        hash=objects.parameter(1),
        content=content(objects.collection.columns, "source"),
    )
    connection.execute(
        objects.fill(
            "create_visible",
            rows_body=Quoted(objects.fill("rows_body", source_key=objects.source_key)),
            visible_body=Quoted(visible),
            rows_comment=_comment(objects, "the keys of the rows that the caller may see"),
            visible_comment=_comment(objects, "whether the caller may see a row that holds what was hashed"),
        )
    )


def create_changed(connection: Connection, objects: Objects, queues: Part) -> None:
    """The trigger function that queues the keys of changed rows by `queues`: see `queues_of`."""
    columns = objects.collection.columns
    key = [column.source for column in objects.collection.key]

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
        key_columns=_texts(key),
        needed_columns=_texts(dict.fromkeys([*key, *columns])),
        new_keys=Quoted(keys_of("new")),
        old_keys=Quoted(keys_of("old")),
        updated_keys=Quoted(updated),
        queues=Quoted(queues),
        queue_keys=assembled(queue_keys(objects, Late("queues"), Late("keys"))),
        late_keys=assembled(objects.fill("late_keys", keys=Late("keys"), key_text=objects.key_text())),
    )
    connection.execute(
        objects.fill(
            "create_changed",
            function=objects.changed,
            body=Quoted(body),
            comment=_comment(objects, "queues what changes"),
        )
    )


def _texts(names: Iterable[str]) -> Part:
    """Names as an array of text."""
    return sql.SQL("ARRAY[{}]::pg_catalog.text[]").format(listed(sql.Literal(name) for name in names))


def queue_keys(objects: Objects, queues: Part, keys: Part) -> Part:
    """The statement that queues what the query `keys` returns as changed, by `queues`: see `queues_of`."""
    return objects.fill("queue_keys", queues=queues, keys=keys)


def queues_of(objects: Objects, generations: Sequence[Generation]) -> Part:
    """The parts of a statement that queue changed keys, one for each generation."""
    return listed(queue_changed(objects.of(generation)) for generation in generations)


def queue_changed(objects: Objects) -> Part:
    """The part of a statement that queues changed keys for one generation."""
    return objects.fill("queue_changed", part=numbered("queue", objects.number, schema=None))


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
    except pg.InvalidTableDefinition:  # another type of tokens, or other dimensions
        drop_view(connection, objects)
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
    relation = Late("relation::pg_catalog.text")
    triggers = objects.fill("create_triggers", function=objects.changed, relation=relation, **names)
    with as_source_owner(connection, objects):
        connection.execute(block(objects.fill("each_relation", statements=assembled(triggers))))


def drop_view(connection: Connection, objects: Objects) -> None:
    """Remove `<name>_passages`; raises InvalidRequest where a view of someone depends on it."""
    with named_dependents(f"the columns of {as_text(objects.view)} change, and "):
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.view))


def drop_generation(connection: Connection, objects: Objects) -> None:
    """Remove the tables and functions of a generation, and its row in the catalogue."""
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.write))
    connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {}(), {}()").format(objects.write, objects.build))
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(objects.passages, objects.queue))
    connection.execute(
        "DELETE FROM pgencoder.generation"
        " WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s",
        [objects.generation.collection, objects.generation.number],
    )


def drop_overloads(connection: Connection, objects: Objects) -> None:
    """Remove the search function as it was before it took the query's encoder."""
    connection.execute(
        sql.SQL(
            "DROP FUNCTION IF EXISTS {}({vector}.halfvec, {vector}.halfvec[], int, int, pg_catalog.text,"
            " pg_catalog.text)"
        ).format(objects.search, vector=objects.vector)
    )


def _comment(objects: Objects, what: str | Part) -> Part:
    text = raw(f"pgencoder: {objects.collection.name}, ")
    return Quoted(text + (raw(what) if isinstance(what, str) else what))
