"""Explains a hit: the pairs of tokens that MaxSim adds up, from the stored vectors, by the words that they are of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg

from pgencoder.db.connection import Connection
from pgencoder.db.values import key_texts
from pgencoder.encoders import Kind, Piece
from pgencoder.errors import InvalidRequest
from pgencoder.explain.explanation import Explanation, Match, Span, WordMatch
from pgencoder.explain.words import Word, words
from pgencoder.plain import short_key
from pgencoder.sql import Part, content, equal, identifier, listed, own, query, raw
from pgencoder.types import Collection, Encoding
from pgencoder.vectors import HalfvecArray, normalize

Pieces = Callable[[str, Kind], Sequence[Piece]]


@dataclass(frozen=True, eq=False)
class Question:
    """A query of a collection, encoded, and what tells which token is of which characters, if the encoder does."""

    collection: Collection
    query: str
    encoding: Encoding
    pieces: Pieces | None


@dataclass(frozen=True)
class Passage:
    """A passage as it is stored, the text that its `tokens` token vectors are of, and the pairs of MaxSim."""

    content: str
    start: int
    tokens: int
    text: str
    pairs: list[tuple[int, int, float]]


def read_passage(connection: Connection, vector: str, asked: Question, key: Any, passage: int) -> Passage:
    """A passage and its pairs, scored as searches score it; `vector` is pgvector's schema.

    Raises InvalidRequest if there is no such passage that this role may see, or nothing to explain by.
    """
    collection = asked.collection
    if not collection.generation.dims.tokens:
        raise InvalidRequest(f"collection {collection.name!r} has dense vectors only: no tokens to explain a match by")
    if not len(asked.encoding.tokens):
        raise InvalidRequest("the query has no tokens to match; give it words")
    parts = key_texts(connection, collection.key, key)
    parameters = [HalfvecArray(normalize(asked.encoding.tokens)), *parts, passage]
    try:
        # a raw cursor, because a name may have a % in it
        statement = _statement(collection, vector).as_bytes(connection)
        row = psycopg.RawCursor(connection).execute(statement, parameters).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise InvalidRequest(f"{error.diag.message_primary}: it was dropped since the search; search again") from error
    except (psycopg.DataError, psycopg.errors.CannotCoerce) as error:
        raise InvalidRequest(f"cannot look for key {short_key(key)}: {error.diag.message_primary or error}") from error
    if row is None:
        raise InvalidRequest(
            f"collection {collection.name!r} has no passage {passage} of key {short_key(key)}: the row is gone, not"
            " encoded yet, or not for this role to see"
        )
    stored, start, tokens, row_content, *pairs = row
    return Passage(
        stored, start, tokens, row_content or stored, list(zip(*(each or () for each in pairs), strict=True))
    )


def explanation(asked: Question, key: Any, number: int, passage: Passage) -> Explanation:
    """The pairs of a passage, put into words."""
    of_query = words(asked.query, asked.pieces and asked.pieces(asked.query, "query"), len(asked.encoding.tokens))
    pieces = asked.pieces and asked.pieces(passage.text, "document")
    of_passage = words(passage.text, pieces, passage.tokens)
    matches = [
        (of_query[query_token - 1], _match(query_token, token, similarity, of_passage[token - 1], passage))
        for query_token, token, similarity in passage.pairs
    ]
    special = [match for word, match in matches if word.special]
    return Explanation(
        query=asked.query,
        key=key,
        passage=number,
        content=passage.content,
        span=(passage.start, passage.start + len(passage.content)),
        score=math.fsum(match.similarity for _, match in matches),
        words=tuple(
            _of(word.text, word.span, [match for _, match in group])
            for word, group in groupby(matches, key=lambda each: each[0])
            if not word.special
        ),
        special=_of(_names(word.text for word, _ in matches if word.special), None, special) if special else None,
    )


def _match(query_token: int, token: int, similarity: float, word: Word, passage: Passage) -> Match:
    span = row_span = None
    if word.span is not None:
        start, end = word.span
        row_span = passage.start + start, passage.start + end
        # where two models read a cut row, this one may have read on after the passage's end
        span = word.span if end <= len(passage.content) else None
    return Match(query_token, token, similarity, word.text, span, row_span)


def _of(word: str, span: Span | None, matches: Sequence[Match]) -> WordMatch:
    return WordMatch(word, span, math.fsum(match.similarity for match in matches), tuple(matches))


def _names(special: Iterable[str]) -> str:
    return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in Counter(special).items())


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
