"""The search function of a collection: the same statement as Python's, stored in the database."""

from __future__ import annotations

import json
import re

from psycopg import sql

from pgencoder.query.statement import stage_for
from pgencoder.query.template import key_names, same, template
from pgencoder.sql import as_text, identifier, listed, own, query, raw
from pgencoder.types import Collection, Group

# Stands in the statement where the caller's filter goes
MARKER = "pgencoder_filter_goes_here"
SEARCH_ARGUMENTS = 7


def search_function(collection: Collection, vector: str) -> str:
    """The SQL that creates `<name>_search`; `vector` is pgvector's schema."""
    function = own(f"{collection.name}_search")
    generation = collection.generation
    body = query("search_body").format(
        by_passage=sql.Literal(_statement(collection, "passage")),
        by_document=sql.Literal(_statement(collection, "document")),
        marker=sql.Literal(MARKER),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        generation=sql.Literal(f"generation {generation.number} of {collection.name}"),
        arguments=raw("query_dense, query_tokens, k, greatest(k, candidates)"),
    )
    return as_text(
        query("create_search").format(
            function=function,
            vector=identifier(vector),
            key_columns=listed(identifier(key.name) + raw(f" {key.full_type}") for key in collection.key),
            body=sql.Literal(as_text(body)),
            comment=sql.Literal(f"pgencoder: searches {collection.name}; filter is SQL on the source's columns"),
        )
    )


def _statement(collection: Collection, group: Group) -> str:
    """The search with $1 to $4 for the arguments and the marker for the filter."""
    names = key_names(len(collection.key))
    keys = listed(identifier(key.source) + raw(f" AS {name}") for key, name in zip(collection.key, names, strict=True))
    source = identifier(collection.source_schema, collection.source_table)
    stage = stage_for(None, tokens=collection.generation.dims.tokens > 0)
    text = template(len(names), group, stage).format(
        passages=as_text(own(collection.generation.passages)),
        same=same([key.name for key in collection.key], lambda name: as_text(identifier(name))),
        source=f"(SELECT {as_text(keys)} FROM {as_text(source)} WHERE ({MARKER}))",
        check="true",
        dense="$1",
        tokens="$2",
        k="$3",
        candidates="$4",
    )
    without_comments = re.sub(r"^\s*--.*\n", "", text, flags=re.M)
    columns = ", ".join([*names, "passage", "content", "score", "recall_rank", "dense_score"])
    order = ", ".join(["score DESC NULLS LAST", *names, "passage"])
    return f"SELECT {columns} FROM ({without_comments}) AS hits ORDER BY {order}"
