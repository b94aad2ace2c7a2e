"""The result of an evaluation: the quality and the times of each stage, in values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pgencoder.evaluation.judging import Difference, Judged, difference, interval
from pgencoder.evaluation.tuning import Tuned
from pgencoder.results import Hit
from pgencoder.search.ranking import MEASURES
from pgencoder.types import Chunking, KernelName, Scoring, TokenType

SINGLE = tuple(MEASURES)  # stages that rank candidates by one score


@dataclass(frozen=True)
class QueryResult:
    """The nDCG@10, recall@100 and milliseconds of one query, and the hit that came first, if any did."""

    ndcg: float
    recall: float
    ms: float
    first: Hit | None = None


@dataclass(frozen=True)
class StageResult:
    """The quality of one stage, and its milliseconds for a query without the encoding of the query.

    `queries` has the result of each query, by its id.
    """

    ndcg: float
    recall: float
    p50_ms: float
    p95_ms: float
    queries: Mapping[str, QueryResult] = field(default_factory=dict, repr=False)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of 95 % of nDCG@10, by the bootstrap."""
        return interval(each.ndcg for each in self.queries.values())


@dataclass(frozen=True)
class Cost:
    """The nDCG@10 of a stage, and the median of its milliseconds for a query."""

    ndcg: float
    ms: float


@dataclass(frozen=True)
class Curves:
    """Results by the number of candidates.

    `recall` has the share of the relevant documents among the candidates of each recall, and of all together. `cost` is
    that of each stage that has candidates; all are measured in turns, apart from the results of the stages.
    """

    recall: Mapping[str, Mapping[int, float]]
    cost: Mapping[str, Mapping[int, Cost]]


@dataclass(frozen=True)
class Crossed:
    """A cross-encoder beside MaxSim, in medians of milliseconds for a query.

    It reorders the hits of the stage `after`, `passages` of them on average, in `ms`. MaxSim of as many takes
    `maxsim_ms`, without the search around it; None without tokens. If it is not `trained`, its head is random.
    """

    model: str
    trained: bool
    after: str
    passages: float
    ms: float
    maxsim_ms: float | None


@dataclass(frozen=True)
class Report:
    """The result of an evaluation of the queries `judged`."""

    dataset: str
    model: str
    documents: int
    queries: int
    passages: int
    chunking: Chunking
    tokens: TokenType
    pooling: int
    lexical: str
    candidates: int
    kernel: KernelName
    scoring: Scoring
    bytes_per_passage: int
    judged: Judged = field(repr=False)
    stages: Mapping[str, StageResult] = field(default_factory=dict)
    tuned: Tuned | None = None
    crossed: Crossed | None = None
    curves: Curves | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def best_single(self) -> str | None:
        """The best of the stages that rank by one score of candidates, which the others are compared with."""
        single = [name for name in self.stages if name in SINGLE]
        return max(single, key=lambda name: self.stages[name].ndcg, default=None)

    def difference(self, stage: str) -> Difference | None:
        """Compare nDCG@10 of a stage with that of the best single stage; None for that itself."""
        baseline = self.best_single
        if baseline is None or baseline == stage:
            return None
        own, others = self.stages[stage].queries, self.stages[baseline].queries
        return difference(baseline, [own[query].ndcg for query in others], [each.ndcg for each in others.values()])

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, with the usual names of the metrics."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "judged"}
        for name in ("tuned", "crossed", "curves"):
            plain[name] = None if plain[name] is None else asdict(plain[name])
        plain["stages"] = {
            name: {"ndcg@10": r.ndcg, "recall@100": r.recall, "p50_ms": r.p50_ms, "p95_ms": r.p95_ms}
            | ({} if (found := self.difference(name)) is None else {"difference": asdict(found)})
            for name, r in self.stages.items()
        }
        return plain

    def rows(self) -> Iterator[tuple[str, str, str, float, float, float]]:
        """Yield the data set, query, stage, nDCG@10, recall@100 and milliseconds of each query."""
        for stage, result in self.stages.items():
            for asked, each in result.queries.items():
                yield self.dataset, asked, stage, each.ndcg, each.recall, each.ms
