"""The search function of a collection: the same statement as Python's, stored in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence

from psycopg import sql

from pgencoder.search.ranking import ranking_of, stage_for
from pgencoder.search.render import key_names, same, template
from pgencoder.sql import Late, Part, Quoted, as_text, assembled, identifier, listed, own, query, raw
from pgencoder.types import Collection, Group

# The caller's filter, a variable of the function
WANTED = Late("wanted")


def search_function(collection: Collection, vector: Part, types: Sequence[Part]) -> sql.Composed:
    """The SQL that creates `<name>_search`; `vector` is pgvector's schema, `types` are those of the key."""
    function = own(f"{collection.name}_search")
    generation = collection.generation
    body = query("search_body").format(
        by_passage=assembled(_statement(collection, types, "passage"), only=WANTED),
        by_document=assembled(_statement(collection, types, "document"), only=WANTED),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        name=sql.Literal(collection.name),
        number=sql.Literal(generation.number),
        source_name=Quoted(identifier(collection.source_schema, collection.source_table)),
        generation=sql.Literal(f"generation {generation.number} of {collection.name}"),
        arguments=raw("query_dense, query_tokens, k, greatest(k, candidates)"),
    )
    signature = sql.SQL(
        "{}({vector}.halfvec, {vector}.halfvec[], int, int, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb)"
    ).format(function, vector=vector)
    pin = query("pin_search").format(
        signature=Quoted(signature),
        schema=sql.Literal(collection.source_schema),
        table=sql.Literal(collection.source_table),
    )
    return query("create_search").format(
        function=function,
        signature=signature,
        pin=Quoted(pin),
        vector=vector,
        key_columns=listed(
            identifier(key.name) + raw(" ") + type_ for key, type_ in zip(collection.key, types, strict=True)
        ),
        body=Quoted(body),
        comment=sql.Literal(f"pgencoder: searches {collection.name}; filter is SQL on the source's columns"),
    )


def _statement(collection: Collection, types: Sequence[Part], group: Group) -> Part:
    """The search with $1 to $4 for the arguments; the filter is `Late`."""
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
