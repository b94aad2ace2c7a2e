"""Searches of a `Database`, and what is made of their hits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.context import Budget, CountTokens, assemble, gaps, token_counter
from pgencoder.encoders import Encoder, Reranker, query_text
from pgencoder.errors import Outdated, PgencoderError
from pgencoder.explain.explanation import Explanation, in_words
from pgencoder.explain.lexical import read_lexical
from pgencoder.explain.token_pairs import Question, read_pairs
from pgencoder.pairs import PairSearch, check_encoded, similar_pairs
from pgencoder.parts.connections import Connections
from pgencoder.parts.used_encoders import UsedEncoders
from pgencoder.plain import short_key
from pgencoder.progress import Progress
from pgencoder.results import Context, Hit, Pair, Part
from pgencoder.search import Search, rows
from pgencoder.search.ranking import Fusion, Ranking, stage_for
from pgencoder.search.rerank import reranking
from pgencoder.search.run import Runner
from pgencoder.search.statement import Boost, Filter
from pgencoder.search.waiting import waiting
from pgencoder.types import RERANK_TOP, Collection, Encoding, FusionName, Group, Order, Stage

TOLD_SECONDS = 60.0
ASK_AGAIN_SECONDS = 1.0  # after nothing waited

Explainer = Callable[[Hit], Explanation]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchOptions:
    """The arguments of a search besides its query, see `Database.search`."""

    k: int
    candidates: int
    filter: Filter | None = None
    group: Group = "passage"
    stage: Stage | Ranking | None = None
    encoder: Encoder | None = None
    fusion: FusionName | Fusion | None = None
    weights: Mapping[str, float] | None = None
    boost: Boost | None = None
    min_relevance: float | None = None
    rerank: str | Reranker | None = None
    rerank_top: int = RERANK_TOP

    def search_of(self, collection: Collection) -> Search:
        """Return the search of a collection; raises InvalidRequest for options that are not possible there."""
        stage = stage_for(self.stage, collection.generation.stored, self.fusion, self.weights)
        k, least = self.k, self.min_relevance
        if self.rerank is not None:  # which also says what is relevant
            k, least = max(k, self.rerank_top), None
        return Search(k, self.candidates, self.filter, self.group, stage, self.boost, least)


@dataclass(frozen=True)
class ContextOptions:
    """The size and the order of a context, see `Database.context`."""

    max_tokens: int
    order: Order
    count_tokens: CountTokens | None

    def budget(self, encoder: Callable[[], Encoder]) -> Budget:
        """Return the budget; the encoder counts the tokens if the options do not say how."""
        count = token_counter(encoder()) if self.count_tokens is None else self.count_tokens
        return Budget(self.max_tokens, count, self.order)


class Searching:
    """Encodes queries, searches collections and explains hits."""

    def __init__(self, connections: Connections, encoders: UsedEncoders) -> None:
        self._connections = connections
        self._encoders = encoders
        self._runner = Runner(connections.own)
        # as of the last search; the statement of a search fails if the collection is no longer so
        self._described: dict[str, Collection] = {}
        self._silent_until: dict[str, float] = {}  # by collections: the next time to log that rows wait

    def search(self, name: str, query: str, options: SearchOptions) -> list[Hit]:
        """Return the hits of a query, see `Database.search`."""
        described = self._described.get(name) if isinstance(name, str) else None
        collection = described or self._connections.collection(name)
        while True:
            try:
                hits = self._search(collection, query, options)
            except (PgencoderError, psycopg.Error, sa.exc.DBAPIError):
                # perhaps the description is that of an earlier search, or it changed while the query was encoded
                self._described.pop(name, None)
                now = self._connections.collection(name)
                with self._connections.blame_table(now):
                    if now == collection:
                        raise
                collection = now
            else:
                self._described[name] = collection
                return hits

    def _search(self, collection: Collection, query: str, options: SearchOptions) -> list[Hit]:
        last = reranking(options.rerank, options.rerank_top)
        search = options.search_of(collection)
        asked = self._question(collection, query, options.encoder)
        hits = self.run(collection, search, asked.encoding, partial(self._explain_hit, asked))
        return hits if last is None else last.best(asked.query, hits, options.k, options.min_relevance)

    def run(
        self, collection: Collection, search: Search, query: Encoding, explainer: Explainer | None = None
    ) -> list[Hit]:
        """Return the hits of an encoded query, see `Database.run`."""
        search = replace(search, stage=stage_for(search.stage, collection.generation.stored))
        found = self._runner.rows(collection, search, query)
        if not found:  # a role that can see no passage at all does not get as far as the statement's own check
            with self._connections.open() as connection:
                catalog.check_source(connection, collection)
        if len(found) < search.k and search.min_relevance is None:
            self._say_what_waits(collection)
        width = len(collection.key)
        return [_hit(row[:width], row[width:], explainer) for row in found]

    def context(self, name: str, query: str, options: ContextOptions, search: SearchOptions) -> Context:
        """Return a context for a prompt, see `Database.context`."""
        collection = self._connections.collection(name)
        budget = options.budget(lambda: self._encoders.of(collection.generation, search.encoder))
        hits = self.search(name, query, search)
        wanted = gaps(hits)
        pieces = [(key, (start, end)) for (_, start, end), key in wanted.items()]
        with self._connections.open() as connection, self._connections.blame_table(collection):
            between = rows.pieces(connection, collection, pieces)
        return assemble(hits, dict(zip(wanted, between, strict=True)), budget)

    def explain(self, name: str, query: str, key: Any, passage: int, encoder: Encoder | None) -> Explanation:
        """Explain how far a passage matches a query, see `Database.explain`."""
        return self._explain(self._question(self._connections.collection(name), query, encoder), key, passage)

    def encode_query(self, collection: Collection, query: str, encoder: Encoder | None) -> Encoding:
        """Return the encoding of a query by the collection's encoder."""
        return self._question(collection, query, encoder).encoding

    def similar_pairs(self, name: str, search: PairSearch, progress: Progress | None) -> Iterator[Pair]:
        """Return an iterator of similar rows, see `Database.similar_pairs`."""
        collection = self._connections.collection(name)
        with self._connections.open() as connection:
            catalog.check_source(connection, collection)
            check_encoded(connection, collection)
        return self._pairs(collection, search, progress)

    def _pairs(self, collection: Collection, search: PairSearch, progress: Progress | None) -> Iterator[Pair]:
        with self._connections.blame_table(collection):
            yield from similar_pairs(self._connections.open, collection, search, progress)

    def _question(self, collection: Collection, query: str, encoder: Encoder | None) -> Question:
        query = query_text(query)
        chosen = self._encoders.of(collection.generation, encoder)
        return Question(collection, query, replace(chosen.encode_query(query), text=query), chosen)

    def _explain_hit(self, asked: Question, hit: Hit) -> Explanation:
        return self._explain(asked, hit.key, hit.passage, hit.content)

    def _explain(self, asked: Question, key: Any, number: int, content: str | None = None) -> Explanation:
        vector = self._connections.vector_schema  # the first time it takes a connection
        with self._connections.open() as connection, self._connections.blame_table(asked.collection):
            catalog.check_source(connection, asked.collection)
            passage = read_pairs(connection, vector, asked, key, number)
            lexical = read_lexical(connection, asked, key, number, passage.content)
        if content not in (None, passage.content):
            raise Outdated(f"passage {number} of key {short_key(key)} has changed since the search; search again")
        return in_words(asked, key, number, passage, lexical)

    def _say_what_waits(self, collection: Collection) -> None:
        """Log that rows are not encoded yet, at most once a minute for a collection."""
        if time.monotonic() < self._silent_until.get(collection.name, 0):
            return
        with suppress(PgencoderError, psycopg.Error, sa.exc.DBAPIError), self._connections.open() as connection:
            said = waiting(connection, collection)
            seconds = ASK_AGAIN_SECONDS if said is None else TOLD_SECONDS
            self._silent_until[collection.name] = time.monotonic() + seconds
            if said is not None:
                logger.warning("%s", said, extra={"collection": collection.name})


def _hit(key: Any, rest: Any, explainer: Explainer | None) -> Hit:
    passage, start, end, content, score, relevance, rank, dense_score, parts = rest
    value = key[0] if len(key) == 1 else tuple(key)
    named = {name: Part(_number(part["score"]), part["rank"]) for name, part in parts.items()}
    return Hit(
        value, score or 0.0, passage, (start, end), content, rank, dense_score, relevance, named, explainer=explainer
    )


def _number(value: float | str | None) -> float | None:
    """Return a number as JSON has it: infinity is a text there."""
    return None if value is None else float(value)
