"""Judged queries, and what can be said of the quality of a ranking of them: means with intervals, and differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgencoder.errors import MissingExtra

DEPTH = 100  # of recall@100
RESAMPLES = 5_000

Judgements = Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """Queries by their ids, and judgements: the ids of a query and of a document, and how relevant it is, from 0.

    `warnings` say what is wrong with them.
    """

    name: str
    queries: dict[str, str]
    qrels: list[tuple[str, str, int]]
    warnings: tuple[str, ...] = field(default=(), kw_only=True)

    def judgements(self) -> dict[str, dict[str, int]]:
        """Return the relevance of the judged documents by their ids, for each query."""
        judged: dict[str, dict[str, int]] = {}
        for asked, document, relevance in self.qrels:
            judged.setdefault(asked, {})[document] = relevance
        return judged


@dataclass(frozen=True)
class Difference:
    """The mean difference of a stage and its baseline over the same queries, and its interval of 95 %.

    The interval is of a paired bootstrap: queries are drawn again and again, with replacement.
    """

    baseline: str
    mean: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """True if the interval does not hold 0."""
        return self.low > 0 or self.high < 0


def difference(baseline: str, values: Sequence[float], others: Sequence[float]) -> Difference:
    """Compare the values of queries with those of the baseline for the same queries, in the same order."""
    pairs = np.asarray(values, dtype=float) - np.asarray(others, dtype=float)
    return Difference(baseline, float(pairs.mean()), *_interval(pairs))


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Return the interval of 95 % of the mean of queries' values, by the bootstrap."""
    return _interval(np.array(list(values), dtype=float))


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def quality(judged: Judged, run: Iterable[tuple[str, str, float]]) -> dict[str, tuple[float, float]]:
    """Return nDCG@10 and recall@100 of each query; those without hits have 0.

    `run` has the ids of a query and of a document, and a score.
    """
    try:
        import ir_measures
    except ImportError as error:
        raise MissingExtra("eval needs ir-measures; run: pip install 'pgencoder[eval]'") from error
    measures = (ir_measures.nDCG @ 10, ir_measures.R @ DEPTH)
    values = dict.fromkeys(((query, measure) for query in judged.queries for measure in measures), 0.0)
    found = ir_measures.iter_calc(
        measures,
        [ir_measures.Qrel(*row) for row in judged.qrels],
        [ir_measures.ScoredDoc(*row) for row in run],
    )
    values.update({(each.query_id, each.measure): each.value for each in found})
    return {query: (values[query, measures[0]], values[query, measures[1]]) for query in judged.queries}
