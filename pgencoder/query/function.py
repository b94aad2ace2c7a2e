"""The search function of a collection: the same statement as Python's, stored in the database."""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql.base import PGDialect

from pgencoder.query.statement import Search, statement
from pgencoder.sql import as_text, identifier, listed, own, query, raw
from pgencoder.types import Collection, Group

# Stands in the statement where the caller's filter goes
MARKER = "pgencoder_filter_goes_here"
SEARCH_ARGUMENTS = 7
ARGUMENTS = ("query_dense", "query_tokens", "k", "candidates")


def search_function(collection: Collection, vector: str) -> str:
    """The SQL that creates `<name>_search`."""
    function = own(f"{collection.name}_search")
    generation = collection.generation
    body = query("search_body").format(
        by_passage=sql.Literal(_compiled(collection, vector, "passage")),
        by_document=sql.Literal(_compiled(collection, vector, "document")),
        marker=sql.Literal(MARKER),
        encoder=sql.Literal(json.dumps(dict(generation.encoder))),
        generation=sql.Literal(f"generation {generation.number} of {collection.name}"),
        arguments=raw("query_dense, query_tokens, k, greatest(k, candidates)"),
    )
    return as_text(
        query("create_search").format(
            function=function,
            vector=identifier(vector),
            key_columns=listed(identifier(key.name) + raw(f" {key.type}") for key in collection.key),
            body=sql.Literal(as_text(body)),
            comment=sql.Literal(f"pgencoder: searches {collection.name}; filter is SQL on the source's columns"),
        )
    )


def _compiled(collection: Collection, vector: str, group: Group) -> str:
    """The statement with $1 to $4 for the arguments and the marker for the filter."""
    arguments: dict[str, Any] = {
        name: sa.literal_column(f"${position}", sa.Integer) for position, name in enumerate(ARGUMENTS, 1)
    }
    built = statement(
        collection,
        vector,
        Search(group=group, filter=sa.text(f"({MARKER})")),
        dense=arguments["query_dense"],
        tokens=arguments["query_tokens"],
        k=arguments["k"],
        candidates=arguments["candidates"],
    )
    selected = [column for name, column in built.selected_columns.items() if name not in ("span_start", "span_end")]
    dialect = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    text = str(built.with_only_columns(*selected).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return re.sub(r"\n\s*", " ", text)
