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
from pgencoder.search.ranking import LEXICAL
from pgencoder.search.ranking import TOKENS as MAXSIM
from pgencoder.statements import Part, content, equal, identifier, listed, own, query, raw
from pgencoder.types import Collection, Encoding
from pgencoder.vectors import HalfvecArray, normalize

TOKENS = MAXSIM.name


@dataclass(frozen=True, eq=False)
class Question:
    """A query of a collection, encoded by `encoder`."""

    collection: Collection
    query: str
    encoding: Encoding
    encoder: Encoder


@dataclass(frozen=True)
class TokenPairs:
    """A stored passage, and for each token of the query the most similar token of the passage; no pairs without tokens.

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
    collection, stored = asked.collection, asked.collection.generation.stored
    if not stored & {TOKENS, LEXICAL.name}:
        raise InvalidRequest(f"collection {collection.name!r} has no tokens and no words to explain a match by")
    if TOKENS in stored and not len(asked.encoding.tokens):
        raise InvalidRequest("the query has no tokens to match; give it words")
    parameters: list[Any] = key_texts(connection, collection.key, key)
    parameters.append(passage)
    if TOKENS in stored:
        parameters.append(HalfvecArray(normalize(asked.encoding.tokens)))
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
    content, start, tokens, row_content, *pairs = row
    return TokenPairs(
        content, start, tokens, row_content or content, list(zip(*(each or () for each in pairs), strict=True))
    )


def is_passage(collection: Collection, first: int) -> Part:
    """Return the condition of a passage: its key is in the parameters from `first` on, then `passage`."""
    is_key = [
        equal(identifier("passages", column.name), raw(f"${place}::{column.full_type}"))
        for place, column in enumerate(collection.key, first)
    ]
    number = equal(identifier("passages", "passage"), raw(f"${first + len(is_key)}::int"))
    return listed([*is_key, number], " AND ")


def _statement(collection: Collection, vector: str) -> Part:
    generation = collection.generation
    same_key = (
        equal(identifier("source", column.source), identifier("passages", column.name)) for column in collection.key
    )
    tokens: Part = raw("0")
    pairs: Part = query("explain_none")
    if TOKENS in generation.stored:
        tokens = raw("pg_catalog.cardinality(passages.tokens)")
        asked = raw(f"${len(collection.key) + 2}::") + identifier(vector) + raw(".halfvec[]")
        pairs = query(f"explain_{generation.token_type}").format(tokens=asked)
    return query("explain").format(
        passages=own(generation.passages),
        source=identifier(collection.source_schema, collection.source_table),
        same_key=listed(same_key, " AND "),
        is_passage=is_passage(collection, 1),
        row_content=_row_content(collection),
        tokens=tokens,
        pairs=pairs,
    )


def _row_content(collection: Collection) -> Part:
    if collection.generation.chunking != "truncate":
        return raw("NULL")
    return query("explain_row").format(content=content(collection.columns, "source"))
