"""Reads a stored passage and the pairs of tokens whose similarities MaxSim adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pgencoder.db.connection import Connection
from pgencoder.db.values import key_texts
from pgencoder.encoders import Encoder
from pgencoder.errors import InvalidRequest, NotEncoded, Outdated
from pgencoder.plain import short_key
from pgencoder.statements import Part, content, equal, identifier, listed, own, query, raw
from pgencoder.types import Collection, Encoding
from pgencoder.vectors import HalfvecArray, normalize


@dataclass(frozen=True, eq=False)
class Question:
    """A query of a collection, encoded by `encoder`."""

    collection: Collection
    query: str
    encoding: Encoding
    encoder: Encoder


@dataclass(frozen=True)
class TokenPairs:
    """A stored passage, and for each token of the query the most similar token of the passage.

    `start` is the place of `content` in the row's content. The passage has `tokens` token vectors, made of `text`. A
    pair is the query's token, the passage's token (both from 1) and their similarity.
    """

    content: str
    start: int
    tokens: int
    text: str
    pairs: list[tuple[int, int, float]]


def read_pairs(connection: Connection, vector: str, asked: Question, key: Any, passage: int) -> TokenPairs:
    """Read a passage and its pairs, scored as searches score it; `vector` is pgvector's schema.

    Raises NotEncoded if this role can see no such passage, Outdated if the generation was dropped, and InvalidRequest
    for a key of another form, or if there are no tokens to explain a match by.
    """
    collection = asked.collection
    if not collection.generation.dims.tokens:
        raise InvalidRequest(f"collection {collection.name!r} has dense vectors only: no tokens to explain a match by")
    if not len(asked.encoding.tokens):
        raise InvalidRequest("the query has no tokens to match; give it words")
    parts = key_texts(connection, collection.key, key)
    parameters = [HalfvecArray(normalize(asked.encoding.tokens)), *parts, passage]
    try:
        # a raw cursor, because a name may contain %
        statement = _statement(collection, vector).as_bytes(connection)
        row = psycopg.RawCursor(connection).execute(statement, parameters).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise Outdated(f"{error.diag.message_primary}: it was dropped since the search; search again") from error
    except (psycopg.DataError, psycopg.errors.CannotCoerce) as error:
        raise InvalidRequest(f"cannot look for key {short_key(key)}: {error.diag.message_primary or error}") from error
    if row is None:
        raise NotEncoded(
            f"collection {collection.name!r} has no passage {passage} of key {short_key(key)}: the row is gone, not"
            " encoded yet, or not for this role to see"
        )
    stored, start, tokens, row_content, *pairs = row
    return TokenPairs(
        stored, start, tokens, row_content or stored, list(zip(*(each or () for each in pairs), strict=True))
    )


def _statement(collection: Collection, vector: str) -> Part:
    generation = collection.generation
    tokens = raw("$1::") + identifier(vector) + raw(".halfvec[]")
    same_key = (
        equal(identifier("source", column.source), identifier("passages", column.name)) for column in collection.key
    )
    is_key = (
        equal(identifier("passages", column.name), raw(f"${place}::{column.full_type}"))
        for place, column in enumerate(collection.key, 2)
    )
    return query("explain").format(
        passages=own(generation.passages),
        source=identifier(collection.source_schema, collection.source_table),
        same_key=listed(same_key, " AND "),
        is_key=listed(is_key, " AND "),
        passage=raw(f"${len(collection.key) + 2}::int"),
        row_content=_row_content(collection),
        pairs=query(f"explain_{generation.token_type}").format(tokens=tokens),
    )


def _row_content(collection: Collection) -> Part:
    if collection.generation.chunking != "truncate":
        return raw("NULL")
    return query("explain_row").format(content=content(collection.columns, "source"))
