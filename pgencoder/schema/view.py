"""The view `<name>_passages` of the active generation, and the function `<name>_active` that describes it."""

from __future__ import annotations

import json
from typing import TypeVar

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor, run
from pgencoder.representations.base import setting_name
from pgencoder.representations.lexical import Lexical
from pgencoder.representations.sparse import Sparse
from pgencoder.representations.terms import MOST, PART, SETTINGS, TermWeights
from pgencoder.schema import policy
from pgencoder.schema.dependents import named_dependents
from pgencoder.statements import Part, Quoted, as_text, listed, query, raw

T = TypeVar("T", bound=TermWeights)


def create(objects: Objects) -> list[Part]:
    """Let the view show the passages of the active generation, and describe that."""
    active = objects.fill(
        "create_active",
        description=sql.Literal(json.dumps(catalog.description(objects.collection))),
        comment=objects.comment("the active generation"),
    )
    return [
        _create_lexical(objects),
        _create_sparse(objects),
        _create_by_terms(objects, Lexical, objects.by_lexical, "candidates of a search by words"),
        _create_by_terms(objects, Sparse, objects.by_sparse, "candidates of a search by a sparse vector"),
        objects.fill(
            "create_view", stored=_shown(objects), comment=objects.comment("passages of the active generation")
        ),
        active,
    ]


def _shown(objects: Objects) -> Part:
    """Return the columns of what is stored.

    A search that was built without the database takes for granted that words are. Where they are not, it must get as
    far as the error that says so.
    """
    if _stored(objects, Lexical) is not None:
        return objects.stored()
    nothing = sql.SQL("NULL::{}.sparsevec AS {}").format(objects.vector, sql.Identifier(Lexical.name))
    return listed([objects.stored(), nothing])


def _create_lexical(objects: Objects) -> Part:
    """Make the function that turns words into what searches by words compare with."""
    stored = _stored(objects, Lexical)
    body = objects.fill("no_lexical_body")
    if stored is not None:
        configuration = sql.Literal(stored.configuration) + raw("::pg_catalog.regconfig")
        body = objects.fill("lexical_body", configuration=configuration, **_counted(objects, stored))
    return objects.fill("create_lexical", body=Quoted(body), comment=objects.comment("searches by words"))


def _create_sparse(objects: Objects) -> Part:
    """Make the function that turns a sparse vector into what searches by it compare with."""
    stored = _stored(objects, Sparse)
    body = objects.fill("no_sparse_body")
    if stored is not None:
        strong, dims = sql.Literal(stored.usual[-1]), raw(str(stored.dims))
        body = objects.fill("sparse_body", strong=strong, dims=dims, **_counted(objects, stored))
    return objects.fill("create_sparse", body=Quoted(body), comment=objects.comment("searches by a sparse vector"))


def _counted(objects: Objects, stored: TermWeights) -> dict[str, Part]:
    """Return the parts of both functions that choose candidates by how many passages have a term."""
    representation = sql.Literal(stored.name)
    return {
        "representation": representation,
        "counted": objects.fill("counted", representation=representation),
        "usual": sql.SQL("ARRAY[{}]::double precision[]").format(listed(map(sql.Literal, stored.usual))),
        "part": sql.Literal(PART),
        "least": sql.Literal(stored.least),
        "most": sql.Literal(MOST),
    }


def _create_by_terms(objects: Objects, kind: type[TermWeights], by: Part, what: str) -> Part:
    """Make the view that shows the candidates of a search by what is stored of this kind."""
    comment = objects.comment(what)
    stored = _stored(objects, kind)
    if stored is None:
        return objects.fill("no_by_terms", by=by, comment=comment)
    measure = stored.measure
    asked = measure.from_settings(
        {name: f"pg_catalog.current_setting('{setting_name(stored.name, name)}', true)" for name in SETTINGS},
        as_text(stored.column_type(objects.vector)),
    )
    return objects.fill(
        "create_by_terms",
        by=by,
        passage_key=objects.key.of(raw("passages")),
        distance=raw(measure.distance(asked)),
        candidates=raw(measure.candidates(asked) or "true"),
        is_visible=policy.is_visible(objects, raw("passages")),
        comment=comment,
    )


def _stored(objects: Objects, kind: type[T]) -> T | None:
    return next((each for each in objects.generation.representations if isinstance(each, kind)), None)


def replace(executor: Executor, objects: Objects) -> None:
    """Let the view show another generation to those who may read it now.

    Raises InvalidRequest where its columns change and another view depends on them.
    """
    names = {"view_name": sql.Literal(as_text(objects.view)), "passages_name": sql.Literal(as_text(objects.passages))}
    readers = executor.execute(query("readers").format(**names)).fetchall()
    *asked, view, active = create(objects)
    try:
        with executor.transaction():
            executor.execute(view)
    except pg.InvalidTableDefinition:  # other representations, or dimensions
        drop(executor, objects)
        executor.execute(view)
    run(executor, [active, *asked])
    run(executor, (objects.fill("grant_reader", reader=raw(reader)) for (reader,) in readers))


def drop(executor: Executor, objects: Objects) -> None:
    """Remove the view; raises InvalidRequest where a view of a user depends on it."""
    with named_dependents(f"the columns of {as_text(objects.view)} change, and "):
        executor.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(objects.view))
