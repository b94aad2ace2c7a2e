"""Judges rankings: the difference of two stages with its interval, and the weights that fit judged queries best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pgencoder.results import Hit
from pgencoder.search.ranking import WEIGHTS

RESAMPLES = 5_000
GRID = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
CUT = 10  # of nDCG@10

Judgements = Mapping[str, int]


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
    drawn = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    low, high = np.quantile(pairs[drawn].mean(axis=1), [0.025, 0.975])
    return Difference(baseline, float(pairs.mean()), float(low), float(high))


@dataclass(frozen=True)
class Tuned:
    """The weights with the best nDCG@10 on the judged queries, and what the default weights reach there."""

    weights: dict[str, float]
    queries: int
    ndcg: float
    default_ndcg: float


@dataclass(frozen=True)
class Candidates:
    """The candidates of one query: their scores by `names`, shape (n, len(names)), and their judged relevance."""

    scores: NDArray[np.float64]
    gains: NDArray[np.float64]
    ideal: float

    @classmethod
    def of(cls, hits: Sequence[Hit], names: Sequence[str], judged: Judgements) -> Candidates:
        """Take the parts of hits of a fusion; each document counts once."""
        scores = np.array([[hit.parts[name].score or 0.0 for name in names] for hit in hits], dtype=float)
        gains = np.array([judged.get(str(hit.key), 0) for hit in hits], dtype=float)
        best = np.sort(np.array(list(judged.values()), dtype=float))[::-1][:CUT]
        return cls(scores.reshape(len(hits), len(names)), gains, float((best * _discounts(len(best))).sum()))

    def ndcg(self, weights: NDArray[np.float64]) -> float:
        """Return nDCG@10 of the weighted mean of z-scores."""
        if not len(self.scores) or self.ideal <= 0:
            return 0.0
        deviations = self.scores.std(axis=0)
        z = (self.scores - self.scores.mean(axis=0)) / np.where(deviations > 0, deviations, np.inf)
        order = np.argsort(-(z @ weights), kind="stable")[:CUT]
        return float((self.gains[order] * _discounts(len(order))).sum() / self.ideal)


def tune(queries: Sequence[Candidates], names: Sequence[str]) -> Tuned:
    """Try all weights of a grid, one of them 1, and return the best; of equal ones, those nearest to the defaults."""
    defaults = np.array([WEIGHTS.get(name, 1.0) for name in names])

    def mean(weights: NDArray[np.float64]) -> float:
        return float(np.mean([each.ndcg(weights) for each in queries]))

    tried = [np.array(weights) for weights in product(GRID, repeat=len(names)) if 1.0 in weights]
    scored = [(mean(weights), -float(np.abs(weights - defaults).sum()), tuple(weights)) for weights in tried]
    best, _, weights = max(scored)
    chosen = {name: float(weight) for name, weight in zip(names, weights, strict=True) if weight}
    return Tuned(chosen, len(queries), best, mean(defaults))


def _discounts(count: int) -> NDArray[np.float64]:
    return np.asarray(1 / np.log2(np.arange(count) + 2.0))
