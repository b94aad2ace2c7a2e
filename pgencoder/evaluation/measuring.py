"""Runs judged queries through the stages of a collection that is encoded. Only the searches are timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pgencoder.database import Database
from pgencoder.encoders import model_names
from pgencoder.evaluation.judging import DEPTH, Judged, quality
from pgencoder.evaluation.reports import QueryResult, Report, StageResult
from pgencoder.evaluation.tuning import COUNTS, Candidates, Tuned, tune
from pgencoder.representations.base import Measure
from pgencoder.results import Hit
from pgencoder.search import Search
from pgencoder.search.ranking import ALONE, MEASURES, Alone, Ranking, fused, ranking_of, stage_for
from pgencoder.types import STAGES, Collection, Encoding, Stage

WARM_UP = 3

OnStep = Callable[[str, int, int], None]


def ignore(step: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Plan:
    """The stages to run, of those that a collection can have, and the number of candidates."""

    stages: Sequence[Stage] = STAGES
    candidates: int = 100


@dataclass(frozen=True)
class Way:
    """One way to rank documents."""

    ranking: Ranking
    candidates: int

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
        """Run all queries and return the quality and the times; `name` is for the progress."""
        found: dict[str, list[Hit]] = {}
        seconds: dict[str, float] = {}
        for asked in list(self.encodings)[: 1 if way.exhaustive else WARM_UP]:
            self.search(asked, way)
        for asked in self.encodings:
            started = time.perf_counter()
            hits = self.search(asked, way, DEPTH if way.exhaustive else 10)
            seconds[asked] = time.perf_counter() - started
            found[asked] = self._deeper(asked, hits, way)
            self.progress(name, len(found), len(self.encodings))
        return self._result(found, seconds)

    def search(self, asked: str, way: Way, k: int = 10) -> list[Hit]:
        """Return the hits of a query, one for each document."""
        search = Search(k, way.candidates, group="document", stage=way.ranking)
        return self.db.run(self.collection, search, self.encodings[asked])

    def recalled(self, asked: str, measure: Measure, scores: Sequence[Measure], count: int) -> list[Hit]:
        """Return the passages that a measure recalls, best first, with these scores too."""
        ranking = Ranking((measure,), (measure, *(each for each in scores if each != measure)), Alone(measure.name))
        return self.db.run(self.collection, Search(count, count, stage=ranking), self.encodings[asked])

    def _deeper(self, asked: str, hits: list[Hit], way: Way) -> list[Hit]:
        """Add the hits after the tenth, which only recall@100 needs; the times do not include them."""
        if way.exhaustive:
            return hits
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


def evaluate(
    db: Database,
    name: str,
    judged: Judged,
    plan: Plan,
    train: Judged | None = None,
    progress: OnStep | None = None,
) -> Report:
    """Run every judged query through each stage of a collection that is encoded.

    With `train`, other judged queries, the weights of the fusion and the number of candidates are tuned on those; the
    stage "tuned" has what they reach. `progress` is called with a stage, and with the number of queries that are done
    and of all.
    """
    collection = db.collection(name)
    state = next(each for each in db.status() if each.name == name)
    stored = collection.generation.stored
    run = Run.of(db, collection, judged, progress or ignore)
    stages: dict[str, StageResult] = {
        stage: run.measure(stage, Way(ranking_of(stage_for(stage, stored)), plan.candidates))
        for stage in plan.stages
        if _possible(stage, stored)
    }
    tuned = None
    if train is not None:
        tuned = _tuned(Run.of(db, collection, train, run.progress), plan.candidates)
        stages["tuned"] = run.measure("tuned", Way(fused("zscore", stored, tuned.weights), tuned.candidates))
    kernel = db.kernel()
    return Report(
        dataset=judged.name,
        model=model_names(collection.generation.encoder),
        documents=state.source_rows or 0,
        queries=len(judged.queries),
        passages=state.passages,
        chunking=collection.generation.chunking,
        tokens=collection.generation.token_type,
        pooling=collection.generation.pooling,
        lexical=collection.generation.lexical,
        candidates=plan.candidates,
        kernel=kernel.name,
        scoring=kernel.scoring(collection.generation.token_type),
        bytes_per_passage=state.bytes_per_passage or 0,
        judged=judged,
        stages=stages,
        tuned=tuned,
    )


def _possible(stage: Stage, stored: frozenset[str]) -> bool:
    """Return True if what the stage compares is stored; a fusion takes what there is."""
    return stage not in ALONE or stored.issuperset(ALONE[stage].measures)


def _tuned(train: Run, candidates: int) -> Tuned:
    """Tune the fusion: the candidates of each query are read once, and then ranked in many ways."""
    stored = train.collection.generation.stored
    ranking, judged, found = fused("zscore", stored), train.judged.judgements(), []
    names = [name for name, measure in MEASURES.items() if measure in ranking.scores]
    most = max(*COUNTS, candidates)
    for number, asked in enumerate(train.encodings, 1):
        recalled = [train.recalled(asked, each, ranking.scores, most) for each in ranking.recalls]
        found.append(Candidates.of(recalled, names, judged[asked]))
        train.progress("tuning", number, len(train.encodings))
    return tune(found, names, candidates)


def _distinct(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(str(hit.key) for hit in hits))
