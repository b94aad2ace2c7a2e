"""The view `<name>_passages` of the active generation, and the function `<name>_active` that describes it."""

from __future__ import annotations

import json

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor, run
from pgencoder.representations.base import setting_name
from pgencoder.representations.lexical import LEAST, MOST, PART, SETS, Lexical
from pgencoder.schema import policy
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
        _create_by_lexical(objects),
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


def _create_by_lexical(objects: Objects) -> Part:
    """Make the view that shows the candidates of a search by words."""
    comment = objects.comment("candidates of a search by words")
    for each in objects.generation.representations:
        if isinstance(each, Lexical):
            measure, settings = each.measure, ["weights", *SETS]
            asked = measure.from_settings(
                {name: f"pg_catalog.current_setting('{setting_name(each.name, name)}', true)" for name in settings},
                as_text(objects.vector),
            )
            return objects.fill(
                "create_by_lexical",
                passage_key=objects.key.of(raw("passages")),
                distance=raw(measure.distance(asked)),
                candidates=raw(measure.candidates(asked)),
                is_visible=policy.is_visible(objects, raw("passages")),
                comment=comment,
            )
    return objects.fill("no_by_lexical", comment=comment)


def replace(executor: Executor, objects: Objects) -> None:
    """Let the view show another generation to those who may read it now.

    Raises InvalidRequest where its columns change and another view depends on them.
    """
    names = {"view_name": sql.Literal(as_text(objects.view)), "passages_name": sql.Literal(as_text(objects.passages))}
    readers = executor.execute(query("readers").format(**names)).fetchall()
    lexical, by_lexical, view, active = create(objects)
    try:
        with executor.transaction():
            executor.execute(view)
    except pg.InvalidTableDefinition:  # other representations, or dimensions
        drop(executor, objects)
        executor.execute(view)
    run(executor, [active, lexical, by_lexical])
    run(executor, (objects.fill("grant_reader", reader=raw(reader)) for (reader,) in readers))


def drop(executor: Executor, objects: Objects) -> None:
    """Remove the view; raises InvalidRequest where a view of a user depends on it."""
    with named_dependents(f"the columns of {as_text(objects.view)} change, and "):
        executor.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.view))
