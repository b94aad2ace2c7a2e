"""Scripts for databases that cannot be asked: the statements that make and change collections, as plain text.

The rows that are there are left to be queued by a worker or `sync`, which go on with every unfinished backfill.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Known, Objects, queue_changed
from pgencoder.representations import OF_ENCODER
from pgencoder.schema import attach, functions, migrate, policy, roles, tables
from pgencoder.schema.ownership import by_source_owner
from pgencoder.statements import Late, Part, as_text, assembled, identifier, listed, query, raw
from pgencoder.types import FULL_TYPE

# The numbers of generations in the block `reencode`: of the one that is made, and of each in turn
_NEXT = Late("(latest OPERATOR(pg_catalog.+) 1)::pg_catalog.text")
_EACH = Late("g.number::pg_catalog.text")
_DEFAULT_COLLATION = "'pg_catalog.\"default\"'"


def attach_script(parts: Objects) -> str:
    """Return the statement that makes a collection."""
    script = _joined(attach.statements(_as_spelled_there(parts)))
    return _checked(parts, query("attach_offline").format(script=assembled(script, _dollars), name=parts.name))


def reencode_script(parts: Objects) -> str:
    """Return the statement that begins the next generation, that of `parts`.

    It does what `generations.use` does, but where a retired generation is of this encoder: then it fails.
    """
    return _checked(parts, _begin(_as_spelled_there(parts)))


def detach_script(name: str) -> str:
    """Return the statement that removes a collection."""
    return as_text(sql.SQL("SELECT pgencoder.detach({})").format(sql.Literal(name)))


def _as_spelled_there(parts: Objects) -> Objects:
    """Return the same objects; the key's types and collations come from the variables of `check_offline`."""
    columns = list(enumerate(parts.collection.key, 1))
    types = [Late(f"full_types[{n}]") for n, _ in columns]
    collations = [Late(f"coalesce(collations[{n}], {_DEFAULT_COLLATION})") if c.collation else None for n, c in columns]
    return Objects(parts.collection, parts.vector_schema, parts.generation, Known(types=types, collations=collations))


def _checked(parts: Objects, then: Part) -> str:
    """Return the statement that does `then` if the database has our revision, and the table the key that was given.

    The types and collations of the key, which people write as they like, are variables there, as the server spells
    them.
    """
    collection = parts.collection
    given = [
        as_text(identifier(column.source))
        + f" {column.type}"
        + (f" COLLATE {column.collation}" if column.collation else "")
        for column in collection.key
    ]
    body = query("check_offline").format(
        other_owner=query("other_owner").format(parts=sql.Literal(True)),
        head=sql.Literal(migrate.head()),
        vector_name=sql.Literal(as_text(parts.vector)),
        source_name=sql.Literal(as_text(parts.source)),
        given=raw(", ".join(given)),
        names=listed([identifier(column.source) for column in collection.key]),
        full_type=sql.Literal(FULL_TYPE),
        then=then,
    )
    return as_text(raw("DO ") + _dollars("\n" + as_text(body)))


def _begin(parts: Objects) -> Part:
    """Return the block that begins the next generation, whatever generations there are then.

    If the active generation is of this encoder, or the one being built, no other is begun; one that is built of another
    encoder is removed.
    """
    generation = parts.generation
    changed = by_source_owner(parts, [functions.create_changed(parts, Late("queues"))])
    made = Objects(parts.collection, parts.vector_schema, generation, replace(parts.known, number=_NEXT))
    begun = [tables.create(made), *functions.create_of_generation(made), policy.create(made), roles.grant(made)]
    each = Objects(parts.collection, parts.vector_schema, generation, replace(parts.known, number=_EACH))
    return parts.fill(
        "reencode",
        changed=assembled(_joined(changed), _dollars),
        queue=assembled(queue_changed(each)),
        generation=assembled(_joined(begun), _dollars),
        encoder=_jsonb(generation.encoder),
        chunking=sql.Literal(generation.chunking),
        kept=sql.Literal(sorted({*OF_ENCODER, *generation.stored})),
        add=catalog.add_generation(generation, raw("latest OPERATOR(pg_catalog.+) 1")),
        same_representations=query("same_representations").format(
            representations=sql.Literal(
                json.dumps({each.name: [each.kind, each.dims, each.options] for each in generation.representations})
            )
        ),
    )


def _joined(statements: Sequence[Part]) -> Part:
    return listed(statements, ";\n")


def _dollars(text: str) -> Part:
    """Return a dollar-quoted literal, which is readable unless it is quoted again."""
    tags = (f"$pgencoder{number or ''}$" for number in count())
    return next(raw(f"{tag}{text}{tag}") for tag in tags if f"{text}{tag}".index(tag) == len(text))


def _jsonb(value: Any) -> Part:
    return sql.Literal(json.dumps(dict(value))) + sql.SQL("::pg_catalog.jsonb")
