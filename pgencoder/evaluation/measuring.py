"""Runs judged queries through the stages of a collection that is encoded. Only the searches are timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pgencoder.database import Database
from pgencoder.evaluation.judging import DEPTH, Judged, quality
from pgencoder.evaluation.reports import QueryResult, StageResult
from pgencoder.representations.base import Measure
from pgencoder.results import Hit
from pgencoder.search import Search
from pgencoder.search.ranking import Alone, Ranking
from pgencoder.search.rerank import Reranking
from pgencoder.types import Collection, Encoding

WARM_UP = 3

T = TypeVar("T")

OnStep = Callable[[str, int, int], None]


def ignore(step: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Way:
    """One way to rank documents: candidates, ranked in the server, and perhaps by a cross-encoder at the end."""

    ranking: Ranking
    candidates: int
    last: Reranking | None = None

    @property
    def exhaustive(self) -> bool:
        """True if there are no candidates, because all passages are ranked."""
        return not self.ranking.recalls

    @property
    def alone(self) -> bool:
        """True if the order is that of the recall: more candidates add to its end, and change nothing before."""
        return len(self.ranking.recalls) == 1 and self.ranking.recalls == self.ranking.scores


@dataclass(frozen=True)
class Run:
    """Judged queries, encoded, and the collection that they search."""

    db: Database
    collection: Collection
    judged: Judged
    encodings: dict[str, Encoding]
    progress: OnStep = ignore

    @classmethod
    def of(cls, db: Database, collection: Collection, judged: Judged, progress: OnStep) -> Run:
        """Encode the queries."""
        encodings = {asked: db.encode_query(collection, text) for asked, text in judged.queries.items()}
        return cls(db, collection, judged, encodings, progress)

    def measure(self, name: str, way: Way) -> StageResult:
        """Run all queries in one way and return the quality and the times; `name` is for the progress."""
        return self.in_turns(name, {name: way})[name]

    def in_turns(self, name: str, ways: Mapping[T, Way], *, deep: bool = True) -> dict[T, StageResult]:
        """Run each query in each way before the next, so that all are as fast or slow as the machine is then.

        Without `deep`, recall@100 is that of the first ten hits.
        """
        found: dict[T, dict[str, list[Hit]]] = {each: {} for each in ways}
        seconds: dict[T, dict[str, float]] = {each: {} for each in ways}
        for way in ways.values():
            for asked in list(self.encodings)[: 1 if way.exhaustive or way.last else WARM_UP]:
                self.search(asked, way)
        for number, asked in enumerate(self.encodings, 1):
            for each, way in ways.items():
                started = time.perf_counter()
                hits = self.search(asked, way, DEPTH if way.exhaustive else 10)
                seconds[each][asked] = time.perf_counter() - started
                found[each][asked] = self._deeper(asked, hits, way) if deep else hits
            self.progress(name, number, len(self.encodings))
        return {each: self._result(found[each], seconds[each]) for each in ways}

    def search(self, asked: str, way: Way, k: int = 10) -> list[Hit]:
        """Return the hits of a query, one for each document."""
        k = max(k, way.last.top) if way.last else k
        search = Search(k, way.candidates, group="document", stage=way.ranking)
        hits = self.db.run(self.collection, search, self.encodings[asked])
        return way.last.best(self.judged.queries[asked], hits, k) if way.last else hits

    def recalled(self, asked: str, measure: Measure, scores: Sequence[Measure], count: int) -> list[Hit]:
        """Return the passages that a measure recalls, best first, with these scores too."""
        ranking = Ranking((measure,), (measure, *(each for each in scores if each != measure)), Alone(measure.name))
        return self.db.run(self.collection, Search(count, count, stage=ranking), self.encodings[asked])

    def _deeper(self, asked: str, hits: list[Hit], way: Way) -> list[Hit]:
        """Add the hits after the tenth, which only recall@100 needs; the times do not include them."""
        if way.exhaustive:
            return hits
        if way.last:
            return hits + self.search(asked, Way(way.ranking, way.candidates), DEPTH)
        if way.alone:
            return self.search(asked, Way(way.ranking, DEPTH), DEPTH)
        if len(way.ranking.recalls) > 1:
            return hits + self.search(asked, way, DEPTH)
        every = Search(way.candidates, way.candidates, stage=way.ranking)
        return hits + self.db.run(self.collection, every, self.encodings[asked])

    def _result(self, found: dict[str, list[Hit]], seconds: dict[str, float]) -> StageResult:
        run = [(asked, key, -rank) for asked, hits in found.items() for rank, key in enumerate(_distinct(hits))]
        each = {
            asked: QueryResult(ndcg, recall, seconds[asked] * 1000, next(iter(found[asked]), None))
            for asked, (ndcg, recall) in quality(self.judged, run).items()
        }
        times = [result.ms for result in each.values()]
        cuts = statistics.quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 20
        ndcg = statistics.fmean(result.ndcg for result in each.values())
        recall = statistics.fmean(result.recall for result in each.values())
        return StageResult(ndcg, recall, statistics.median(times), cuts[18], each)


def _distinct(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(str(hit.key) for hit in hits))
