"""The functions of a collection: of its triggers, and what workers and policies go through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from pgencoder.catalog.objects import Objects, queue_keys, queues_of
from pgencoder.schema.ownership import by_source_owner
from pgencoder.statements import Late, Part, Quoted, assembled, block, content, identifier, listed, numbered, raw
from pgencoder.types import Generation


def create(objects: Objects, generations: Sequence[Generation]) -> list[Part]:
    """Make, or replace, what is stored for a collection of these generations.

    Policies are made apart: who has them lets searches find what is there.
    """
    active = next((each for each in generations if each.state == "active"), generations[0])
    of_source = [create_changed(objects, queues_of(objects, generations)), *_create_read(objects.of(active))]
    statements = [*by_source_owner(objects, of_source), _create_visible(objects)]
    for generation in generations:
        statements += create_of_generation(objects.of(generation))
    return statements


def create_of_generation(objects: Objects) -> list[Part]:
    """Make the view that workers write through, and the function that builds the index."""
    made = objects.fill(
        "create_generation",
        write_body=Quoted(_write_body(objects)),
        count_body=Quoted(objects.fill("count_body", statements=_counts(objects))),
        build_body=Quoted(objects.fill("build_body", indexes=_indexes(objects))),
        comment=objects.comment(raw("generation ") + objects.number + raw(", for workers")),
    )
    return [made, block(objects.fill("grant_source_owner"))]


def _write_body(objects: Objects) -> Part:
    """Insert what a worker gives: everything but what the server makes."""
    columns, calls = objects.made(raw("coalesce(NEW.whole, NEW.content)"))
    return objects.fill("write_body", columns=objects.copied(), values=objects.copied("new"), made=columns, calls=calls)


def _counts(objects: Objects) -> Part:
    """Count the terms of each representation that has any."""
    statements = [
        objects.fill(
            "count_terms",
            representation=sql.Literal(each.name),
            elements=identifier(counted[0]),
            length=raw(counted[1]),
            changes=objects.fill("changes"),
        )
        for each in objects.generation.representations
        if (counted := each.counted) is not None
    ]
    return listed(statements or [raw("NULL;")], "\n    ")


def _indexes(objects: Objects) -> Part:
    """Make the index of each representation that has one."""
    statements = [
        objects.fill(
            "create_index",
            index=numbered(objects.collection.name, objects.number, f"_{each.name}", schema=None),
            method=method,
        )
        for each in objects.generation.representations
        if (method := each.index(objects.vector)) is not None
    ]
    return listed(statements, "\n    ")


def create_changed(objects: Objects, queues: Part) -> Part:
    """Make the trigger function that queues the keys of changed rows by `queues`: see `queues_of`."""
    key, columns = objects.key, objects.collection.columns
    sources = [column.source for column in key.columns]
    updated = objects.fill(
        "updated_keys",
        new_key=key.of_source("new"),
        old_key=key.of_source("old"),
        same_key=key.is_both_source("new", "old"),
        new_content=content(columns, "new"),
        old_content=content(columns, "old"),
    )
    body = objects.fill(
        "changed_body",
        key_columns=_texts(sources),
        needed_columns=_texts(dict.fromkeys([*sources, *columns])),
        new_keys=Quoted(_keys_of(objects, "new")),
        old_keys=Quoted(_keys_of(objects, "old")),
        updated_keys=Quoted(updated),
        queues=Quoted(queues),
        queue_keys=assembled(queue_keys(objects, Late("queues"), Late("keys"))),
        late_keys=assembled(objects.fill("late_keys", keys=Late("keys"), key_text=key.text())),
    )
    comment = objects.comment("queues what changes")
    return objects.fill("create_changed", function=objects.changed, body=Quoted(body), comment=comment)


def _keys_of(objects: Objects, relation: str) -> Part:
    """Select the keys of the rows that a trigger is given as `<relation>_rows`."""
    return sql.SQL("SELECT {} FROM {} AS {}").format(
        objects.key.of_source(relation), identifier(f"{relation}_rows"), identifier(relation)
    )


def _create_read(objects: Objects) -> list[Part]:
    """Make the functions by which workers see the source: rows by their keys, and the keys in order."""
    key, columns = objects.key, content(objects.collection.columns, "source")
    rows = objects.fill(
        "read_rows",
        content=columns,
        source_key=key.source_as_k,
        source_is_claim=key.is_claim("source", in_source=True),
        unnest_keys=key.text_arrays,
        bytes=key.parameter(1),
    )
    scan = objects.fill(
        "scan_rows",
        content=columns,
        source_key=key.source_as_k,
        source_order=key.of_source("source"),
        after=key.from_array("$1"),
    )
    keys = [f"key{i}" for i in key.numbers]
    made = objects.fill(
        "create_read",
        key_arrays=raw(", ".join(f"{name} pg_catalog.text[]" for name in keys)),
        key_array_types=key.array_types,
        read_body=_checked(objects, rows, [*keys, "bytes"]),
        scan_body=_checked(objects, scan, ["after", "count", "hashed"]),
        read_comment=objects.comment("rows by their keys, contents up to some bytes"),
        scan_comment=objects.comment("keys in order after one, with the hash of their contents"),
    )
    arrays = Quoted(key.array_types)
    grant = objects.fill("grant_keeper", read_name=Quoted(objects.read), scan_name=Quoted(objects.scan), arrays=arrays)
    return [made, block(grant)]


def _checked(objects: Objects, statement: Part, arguments: Sequence[str]) -> Part:
    """Return the body of a function that runs a statement, if it runs as the owner of the attached table."""
    body = objects.fill("return_query", statement=Quoted(statement), arguments=raw(", ".join(arguments)))
    return Quoted(body)


def _create_visible(objects: Objects) -> Part:
    """Make what the policies ask: which rows there are for whoever asks, and whether one holds what was hashed."""
    visible = objects.fill(
        "visible_body",
        source_is_key=objects.key.is_parameters("source"),
        hash=objects.key.parameter(1),
        content=content(objects.collection.columns, "source"),
    )
    return objects.fill(
        "create_visible",
        rows_body=Quoted(objects.fill("rows_body", source_key=objects.key.source_as_k)),
        visible_body=Quoted(visible),
        rows_comment=objects.comment("the keys of the rows that the caller may see"),
        visible_comment=objects.comment("whether the caller may see a row that holds what was hashed"),
    )


def _texts(names: Iterable[str]) -> Part:
    """Names as an array of text."""
    return sql.SQL("ARRAY[{}]::pg_catalog.text[]").format(listed([sql.Literal(name) for name in names]))
