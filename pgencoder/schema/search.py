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
from pgencoder.search.render import key_names, same, template
from pgencoder.sql import Late, Part, Quoted, as_text, assembled, identifier, listed, own, query, raw
from pgencoder.types import Collection, Group

# The caller's filter, a variable of the function
WANTED = Late("wanted")


def create(objects: Objects) -> list[Part]:
    """Make, or replace, the function `<name>_search` of the active generation."""
    collection = objects.collection
    generation = collection.generation
    body = query("search_body").format(
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


def _statement(collection: Collection, types: Sequence[Part], group: Group) -> Part:
    """Return the search with $1 to $4 for the arguments; the filter is `Late`."""
    names = key_names(len(collection.key))
    keys = listed(
        identifier(key.source) + raw("::") + type_ + raw(f" AS {name}")
        for key, type_, name in zip(collection.key, types, names, strict=True)
    )
    source = identifier(collection.source_schema, collection.source_table)
    ranking = ranking_of(stage_for(None, tokens=collection.generation.dims.tokens > 0))
    columns = ", ".join([*names, "passage", "content", "score", "recall_rank", "dense_score"])
    order = ", ".join(["score DESC NULLS LAST", *names, "passage"])
    return sql.SQL(f"SELECT {columns} FROM ({template(len(names), ranking, group)}) AS hits ORDER BY {order}").format(
        passages=own(collection.generation.passages),
        same=raw(same([key.name for key in collection.key], lambda name: as_text(identifier(name)))),
        source=sql.SQL("(SELECT {} FROM {} WHERE ({}))").format(keys, source, WANTED),
        check=raw("true"),
        dense=raw("$1"),
        tokens=raw("$2"),
        k=raw("$3"),
        candidates=raw("$4"),
    )
