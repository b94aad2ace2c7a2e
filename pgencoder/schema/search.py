"""The search function of a collection: the same statement as Python's, stored in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence

from psycopg import errors as pg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor, run
from pgencoder.schema import view
from pgencoder.schema.dependents import named_dependents
from pgencoder.search.ranking import ranking_of, stage_for
from pgencoder.search.render import search_text
from pgencoder.statements import Late, Part, Quoted, as_text, assembled, identifier, query, raw
from pgencoder.types import Collection, Group

# The caller's filter, a variable of the function
WANTED = Late("wanted")
# The source's name in the statement without a filter
TABLE = "searched"
# How many candidates the function has unless the caller gives another number
USUAL_CANDIDATES = 100


def create(objects: Objects) -> list[Part]:
    """Make, or replace, the function `<name>_search` of the active generation."""
    collection = objects.collection
    generation = collection.generation
    body = query("search_body").format(
        usual=_statement(
            collection, objects.key.types, "passage", where=None, candidates=sql.Literal(USUAL_CANDIDATES)
        ),
        usual_candidates=sql.Literal(USUAL_CANDIDATES),
        by_passage=assembled(_statement(collection, objects.key.types, "passage"), only=WANTED),
        by_document=assembled(_statement(collection, objects.key.types, "document"), only=WANTED),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        name=objects.name,
        number=sql.Literal(generation.number),
        source_name=Quoted(objects.source),
        generation=sql.Literal(f"generation {generation.number} of {collection.name}"),
        arguments=raw("query_dense, query_tokens, k, greatest(k, candidates)"),
    )
    pin = query("pin_search").format(
        signature=Quoted(_signature(objects)),
        schema=sql.Literal(collection.source_schema),
        table=sql.Literal(collection.source_table),
    )
    made = query("create_search").format(
        function=objects.search,
        signature=_signature(objects),
        pin=Quoted(pin),
        vector=objects.vector,
        key_columns=objects.key.named_types,
        body=Quoted(body),
        comment=sql.Literal(f"pgencoder: searches {collection.name}; filter is SQL on the source's columns"),
    )
    # settings of pgvector can be named by anyone once its library is loaded, and until then by superusers only
    return [sql.SQL("SELECT '[1]'::{}.halfvec").format(objects.vector), made]


def replace(executor: Executor, objects: Objects) -> None:
    """Let searches by SQL, and the view, use the active generation."""
    run(executor, create(objects))
    view.replace(executor, objects)


def replace_typed(executor: Executor, objects: Objects) -> None:
    """Do what `replace` does; if the types of its columns change, drop the function, but keep its grants."""
    try:
        with executor.transaction():
            replace(executor, objects)
            return
    except pg.InvalidFunctionDefinition:
        pass
    signature = _signature(objects)
    grants = executor.execute(query("callers").format(signature=sql.Literal(as_text(signature)))).fetchall()
    with named_dependents(f"the columns of {as_text(objects.search)} change, and "):
        executor.execute(sql.SQL("DROP FUNCTION {}").format(signature))
    replace(executor, objects)
    executor.execute(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(signature))
    for grantee, grantable in grants:
        option = raw("WITH GRANT OPTION" if grantable else "")
        grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {} {}").format(signature, raw(grantee), option)
        executor.execute(grant)


def _signature(objects: Objects) -> Part:
    return sql.SQL(
        "{}({vector}.halfvec, {vector}.halfvec[], int, int, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb)"
    ).format(objects.search, vector=objects.vector)


def _statement(
    collection: Collection,
    types: Sequence[Part],
    group: Group,
    *,
    where: Part | None = WANTED,
    candidates: Part = raw("$4"),  # noqa: B008
) -> Part:
    """Return the search with $1 to $4 for the arguments; the filter is `Late`.

    Without a filter it stands in the function as it is. There Postgres would take a column that is gone for a variable
    of that name, so each column is named with its table.
    """
    table: Part = identifier(collection.source_schema, collection.source_table)
    columns = [identifier(key.source) for key in collection.key]
    if where is None:
        table = table + raw(f" AS {TABLE}")
        columns = [identifier(TABLE, key.source) for key in collection.key]
    return search_text(
        collection,
        ranking_of(stage_for(None, tokens=collection.generation.dims.tokens > 0)),
        group,
        table=table,
        keys=[column + raw("::") + type_ for column, type_ in zip(columns, types, strict=True)],
        columns=["passage", "content", "score", "recall_rank", "dense_score"],
        where=where,
        check=raw("true"),
        dense=raw("$1"),
        tokens=raw("$2"),
        k=raw("$3"),
        candidates=candidates,
    )
