"""Makes and drops the database objects of a collection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import POLICY, Objects, all_of, queue_keys, queues_of
from pgencoder.db.connection import Connection
from pgencoder.schema.dependents import named_dependents
from pgencoder.schema.ownership import as_source_owner
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
    raw,
)
from pgencoder.types import Generation


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


def create_view(connection: Connection, objects: Objects) -> None:
    """Let `<name>_passages` show the passages of the active generation, to whoever may read those.

    `<name>_active` describes it to them, see `catalog.description`.

    Raises HasDependents where its columns change and another view depends on them.
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


def _comment(objects: Objects, what: str | Part) -> Part:
    text = raw(f"pgencoder: {objects.collection.name}, ")
    return Quoted(text + (raw(what) if isinstance(what, str) else what))
