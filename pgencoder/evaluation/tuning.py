"""Finds the weights of the fusion and the number of candidates that fit judged queries best.

The candidates of each query are read once, with all their scores; all that is tried ranks them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pgencoder.evaluation.judging import Judgements, difference
from pgencoder.results import Hit
from pgencoder.search.ranking import WEIGHTS

GRID = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
COUNTS = (50, 100, 200)  # of candidates
CUT = 10  # of nDCG@10


@dataclass(frozen=True)
class Tuned:
    """The weights and the number of candidates with the best nDCG@10 on the judged queries.

    `by_candidates` has the best nDCG@10 for each number that was tried, `default_ndcg` that of the default weights with
    `default_candidates`.
    """

    weights: dict[str, float]
    candidates: int
    queries: int
    ndcg: float
    by_candidates: dict[int, float]
    default_candidates: int
    default_ndcg: float


@dataclass(frozen=True)
class Candidates:
    """The passages that recalls found for one query: n of them, with their m scores by names.

    `scores` has shape (n, m), `ranks` the best rank that a recall gave each, from 1. `documents` says which passages
    are of one document. `gains` are the judged relevance of the documents, `ideal` the DCG@10 of the best order.
    """

    scores: NDArray[np.float64]
    ranks: NDArray[np.int64]
    documents: NDArray[np.int64]
    gains: NDArray[np.float64]
    ideal: float

    @classmethod
    def of(cls, recalled: Sequence[Sequence[Hit]], names: Sequence[str], judged: Judgements) -> Candidates:
        """Take the hits of each recall, best first, with the parts `names`."""
        found: dict[tuple[str, int], tuple[int, Hit]] = {}
        for hits in recalled:
            for rank, hit in enumerate(hits, 1):
                known = found.setdefault((str(hit.key), hit.passage), (rank, hit))
                found[str(hit.key), hit.passage] = min(known[0], rank), hit
        keys, documents = np.unique([key for key, _ in found] or np.empty(0, str), return_inverse=True)
        scores = [[_number(hit.parts[name].score) for name in names] for _, hit in found.values()]
        best = np.sort(np.array(list(judged.values()), dtype=float))[::-1][:CUT]
        return cls(
            np.array(scores, dtype=float).reshape(len(found), len(names)),
            np.array([rank for rank, _ in found.values()], dtype=int),
            documents,
            np.array([judged.get(str(key), 0) for key in keys], dtype=float),
            float((best * _discounts(len(best))).sum()),
        )

    def ndcg(self, weights: NDArray[np.float64], candidates: int) -> NDArray[np.float64]:
        """Return nDCG@10 of the weighted means of z-scores, for each row of `weights`, of shape (w, m).

        It is as if each recall had returned that many candidates. A document has the score of its best passage.
        """
        chosen = self.ranks <= candidates
        if self.ideal <= 0 or not chosen.any():
            return np.zeros(len(weights))
        scores = _z_scores(self.scores[chosen]) @ weights.T
        order = np.argsort(self.documents[chosen], kind="stable")
        documents, starts = np.unique(self.documents[chosen][order], return_index=True)
        best = np.maximum.reduceat(scores[order], starts, axis=0)
        top = np.argpartition(-best, min(CUT, len(best)) - 1, axis=0)[:CUT]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(best, top, 0), axis=0, kind="stable"), 0)
        gained: NDArray[np.float64] = _discounts(len(top)) @ self.gains[documents][top] / self.ideal
        return gained


def tune(queries: Sequence[Candidates], names: Sequence[str], default_candidates: int) -> Tuned:
    """Try all weights of a grid, one of them 1, with each number of candidates, and return the best.

    The number of candidates stays unless another one is certainly better on these queries, so that it does not follow
    their noise. Of equal weights the nearest to the defaults are chosen.
    """
    defaults = np.array([WEIGHTS.get(name, 1.0) for name in names])
    weights = np.array([each for each in product(GRID, repeat=len(names)) if 1.0 in each])
    far = np.abs(weights - defaults).sum(axis=1)
    weights = weights[np.argsort(far, kind="stable")]

    def means(tried: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        return np.asarray(np.mean([each.ndcg(tried, count) for each in queries], axis=0)).round(12)

    found = {count: means(weights, count) for count in sorted({*COUNTS, default_candidates})}
    best = {count: weights[values.argmax()] for count, values in found.items()}
    each = {count: [float(query.ndcg(best[count][None], count)[0]) for query in queries] for count in found}
    better = [count for count, values in each.items() if difference("", values, each[default_candidates]).low > 0]
    candidates = max(better, key=lambda count: found[count].max(), default=default_candidates)
    chosen = best[candidates]
    return Tuned(
        weights={name: float(weight) for name, weight in zip(names, chosen, strict=True) if weight},
        candidates=candidates,
        queries=len(queries),
        ndcg=float(found[candidates].max()),
        by_candidates={count: float(values.max()) for count, values in found.items()},
        default_candidates=default_candidates,
        default_ndcg=float(means(defaults[None], default_candidates)[0]),
    )


def _number(score: float | None) -> float:
    return np.nan if score is None else score


def _z_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the z-scores as `ZScores` has them in SQL, of each column; no score counts as the worst one."""
    z = np.zeros_like(scores)
    for column, values in enumerate(scores.T):
        known = values[~np.isnan(values)]
        if len(known) and np.isfinite(known).all() and known.max() > known.min() and known.std() > 0:
            z[:, column] = (np.where(np.isnan(values), known.min(), values) - known.mean()) / known.std()
    return z


def _discounts(count: int) -> NDArray[np.float64]:
    return np.asarray(1 / np.log2(np.arange(count) + 2.0))
