"""The view `<name>_passages` of the active generation, and the function `<name>_active` that describes it."""

from __future__ import annotations

import json

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor, run
from pgencoder.representations.lexical import LEAST, MOST, PART, Lexical
from pgencoder.schema.dependents import named_dependents
from pgencoder.statements import Part, Quoted, as_text, query, raw


def create(objects: Objects) -> list[Part]:
    """Let the view show the passages of the active generation, and describe that."""
    active = objects.fill(
        "create_active",
        description=sql.Literal(json.dumps(catalog.description(objects.collection))),
        comment=objects.comment("the active generation"),
    )
    return [
        _create_lexical(objects),
        objects.fill(
            "create_view", stored=objects.stored(), comment=objects.comment("passages of the active generation")
        ),
        active,
    ]


def _create_lexical(objects: Objects) -> Part:
    """Make the function that turns words into what searches by words compare with."""
    stored = [each for each in objects.generation.representations if isinstance(each, Lexical)]
    body = objects.fill("no_lexical_body")
    if stored:
        body = objects.fill(
            "lexical_body",
            configuration=sql.Literal(stored[0].configuration) + raw("::pg_catalog.regconfig"),
            representation=sql.Literal(stored[0].name),
            part=sql.Literal(PART),
            least=sql.Literal(LEAST),
            most=sql.Literal(MOST),
        )
    return objects.fill("create_lexical", body=Quoted(body), comment=objects.comment("searches by words"))


def replace(executor: Executor, objects: Objects) -> None:
    """Let the view show another generation to those who may read it now.

    Raises InvalidRequest where its columns change and another view depends on them.
    """
    names = {"view_name": sql.Literal(as_text(objects.view)), "passages_name": sql.Literal(as_text(objects.passages))}
    readers = executor.execute(query("readers").format(**names)).fetchall()
    lexical, view, active = create(objects)
    try:
        with executor.transaction():
            executor.execute(view)
    except pg.InvalidTableDefinition:  # other representations, or dimensions
        drop(executor, objects)
        executor.execute(view)
    run(executor, [active, lexical])
    run(executor, (objects.fill("grant_reader", reader=raw(reader)) for (reader,) in readers))


def drop(executor: Executor, objects: Objects) -> None:
    """Remove the view; raises InvalidRequest where a view of a user depends on it."""
    with named_dependents(f"the columns of {as_text(objects.view)} change, and "):
        executor.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.view))
