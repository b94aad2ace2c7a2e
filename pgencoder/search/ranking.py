"""A ranking as a value: recalls find candidates, scores compare them, a fusion makes one number of the scores."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pgencoder.errors import InvalidRequest
from pgencoder.representations.base import Measure
from pgencoder.representations.dense import InnerProduct
from pgencoder.representations.lexical import Bm25
from pgencoder.representations.sparse import SparseProduct
from pgencoder.representations.tokens import MaxSim
from pgencoder.types import FUSIONS, STAGES, FusionName, Stage, check_count


class Fusion(ABC):
    """The way from the scores of a candidate to the one that it is ranked by."""

    @abstractmethod
    def score(self, scores: Mapping[str, str]) -> str:
        """Return the expression over all candidates; `scores` has the column of each score, by its measure's name."""

    def relevance(self, relevances: Mapping[str, str]) -> str:
        """Return the expression of one number between 0 and 1 for those of the measures, by their names: their mean."""
        return _mean(relevances, dict.fromkeys(relevances, "1"))


def _mean(values: Mapping[str, str], weights: Mapping[str, str]) -> str:
    """Return the weighted mean of the values that are not NULL."""

    def summed(terms: Mapping[str, str]) -> str:
        known = (f"CASE WHEN {values[name]} IS NULL THEN 0 ELSE {term} END" for name, term in terms.items())
        return f"({' OPERATOR(pg_catalog.+) '.join(known)})"

    total = summed({name: f"({weight} OPERATOR(pg_catalog.*) {values[name]})" for name, weight in weights.items()})
    weight = summed(weights)
    return f"CASE WHEN {weight} OPERATOR(pg_catalog.>) 0 THEN {total} OPERATOR(pg_catalog./) {weight} END"


@dataclass(frozen=True)
class Alone(Fusion):
    """One of the scores, as it is."""

    name: str

    def score(self, scores: Mapping[str, str]) -> str:
        """Return its column."""
        return scores[self.name]

    def relevance(self, relevances: Mapping[str, str]) -> str:
        """Return that of the score."""
        return relevances[self.name]


@dataclass(frozen=True)
class Weighted(Fusion):
    """The weighted mean of something that is computed of each score.

    `weights` has numbers of at least 0 by the names of measures; those that it does not name do not count. Raises
    InvalidRequest for other numbers, and if none is above 0.
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        try:
            weights = {name: float(weight) for name, weight in self.weights.items()}
        except (AttributeError, TypeError, ValueError):
            weights = {}
        if any(not each >= 0 for each in weights.values()) or not 0 < sum(weights.values()) < math.inf:
            raise InvalidRequest(
                f"weights must be numbers of at least 0, and one of them above 0, got {self.weights!r}"
            )
        object.__setattr__(self, "weights", _Frozen(weights))

    def score(self, scores: Mapping[str, str]) -> str:
        """Return the mean."""
        weights = self.factors()
        terms = [f"({weight} OPERATOR(pg_catalog.*) {self.term(scores[name])})" for name, weight in weights.items()]
        plus = " OPERATOR(pg_catalog.+) "
        return f"(({plus.join(terms)}) OPERATOR(pg_catalog./) ({plus.join(weights.values())}))"

    def relevance(self, relevances: Mapping[str, str]) -> str:
        """Return the mean with the same weights; a measure without a score does not count."""
        return _mean(relevances, self.factors())

    def factors(self) -> Mapping[str, str]:
        """Return the weights as SQL."""
        return {name: repr(weight) for name, weight in self.weights.items()}

    @abstractmethod
    def term(self, score: str) -> str:
        """Return what is computed of the scores in a column, as an expression over all candidates."""


class ZScores(Weighted):
    """The weighted mean of z-scores: how many standard deviations a score is above the mean of the candidates.

    So scores of different scales can be added. A candidate without a score counts as the worst one that has it. A
    score has no influence if it is the same for all candidates, as where there is only one, or infinite for one.
    """

    def term(self, score: str) -> str:
        """Return the z-score, and 0 where there is none."""
        least, most, mean, deviation = (
            f"(pg_catalog.{function}({score}) OVER ())" for function in ("min", "max", "avg", "stddev_pop")
        )
        # Equal scores may have a deviation above 0, a rounding error, and different ones a deviation of 0. Of infinite
        # ones it is NaN, which is above all numbers. Not with NULLIF, because its = may be anyone's.
        return (
            f"CASE WHEN {most} OPERATOR(pg_catalog.>) {least} AND {deviation} OPERATOR(pg_catalog.>) 0"
            f" AND {deviation} OPERATOR(pg_catalog.<) 'infinity' THEN (coalesce({score}, {least})"
            f" OPERATOR(pg_catalog.-) {mean}) OPERATOR(pg_catalog./) {deviation} ELSE 0 END"
        )


@dataclass(frozen=True)
class ReciprocalRanks(Weighted):
    """Reciprocal rank fusion: the weighted mean of 1 / (`constant` + rank), where the best candidate has rank 1.

    It looks at the order only (Cormack et al., SIGIR 2009, who take 60). Equal scores have the same rank. A candidate
    without a score gets 0 for it.
    """

    constant: int = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("constant", self.constant)

    def term(self, score: str) -> str:
        """Return the reciprocal of the rank."""
        rank = f"(pg_catalog.rank() OVER (ORDER BY {score} DESC NULLS LAST))"
        return (
            f"CASE WHEN {score} IS NULL THEN 0 ELSE 1.0::double precision"
            f" OPERATOR(pg_catalog./) ({self.constant} OPERATOR(pg_catalog.+) {rank}) END"
        )


class _Frozen(dict[str, float]):
    """Weights that can be hashed, as a ranking must be: nothing changes them."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


@dataclass(frozen=True)
class Ranking:
    """The way to rank passages.

    The candidates are the passages that any of the `recalls` finds; without a recall, all passages. Each candidate gets
    all of the `scores`, and `fusion` combines them to one score.
    """

    recalls: tuple[Measure, ...]
    scores: tuple[Measure, ...]
    fusion: Fusion

    def __post_init__(self) -> None:
        try:  # the text of a search is kept for each ranking
            hash(self)
        except TypeError as error:
            raise InvalidRequest(
                f"a part of a ranking cannot be hashed ({error}); make its class a frozen dataclass of tuples"
            ) from error
        names = {measure.name: measure.name for measure in self.scores}
        try:
            self.fusion.score(names)
        except KeyError as error:
            raise InvalidRequest(f"there is no score {error} to rank by, only {', '.join(names) or 'none'}") from error

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures by name."""
        return {measure.name: measure for measure in (*self.recalls, *self.scores)}


DENSE = InnerProduct()
TOKENS = MaxSim()
LEXICAL = Bm25()
SPARSE = SparseProduct()

# The names of those that need not vectors of the query, but its words or a sparse vector
BY_TERMS = frozenset({LEXICAL.name, SPARSE.name})


def by_maxsim(measure: MaxSim = TOKENS) -> Ranking:
    """Return the ranking of the nearest passages by MaxSim."""
    return Ranking((DENSE,), (DENSE, measure), Alone(measure.name))


# The names that people use, of the measures that a collection may have
MEASURES: Mapping[str, Measure] = {"dense": DENSE, "lexical": LEXICAL, "sparse": SPARSE, "maxsim": TOKENS}
# Best on the mean of five data sets; equal weights fall below dense vectors alone for short queries of entities
WEIGHTS: Mapping[str, float] = {"dense": 1.0, "lexical": 0.5, "sparse": 0.5, "maxsim": 1.0}

ALONE: Mapping[str, Ranking] = {
    "dense": Ranking((DENSE,), (DENSE,), Alone(DENSE.name)),
    "lexical": Ranking((LEXICAL,), (LEXICAL,), Alone(LEXICAL.name)),
    "sparse": Ranking((SPARSE,), (SPARSE,), Alone(SPARSE.name)),
    "maxsim": by_maxsim(),
    "exhaustive": Ranking((), (DENSE, TOKENS), Alone(TOKENS.name)),
}
"""The stages that do not depend on what else a collection has."""


def ranking_of(stage: Stage | Ranking) -> Ranking:
    """Return the ranking that a stage is the name of; raise InvalidRequest if there is none."""
    if isinstance(stage, Ranking):
        return stage
    if stage not in STAGES:
        raise InvalidRequest(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
    every = [each.name for each in MEASURES.values()]
    return ALONE[stage] if stage in ALONE else fused("rrf" if stage == "rrf" else "zscore", every)


def fused(fusion: str | Fusion, stored: Collection[str], weights: Mapping[str, float] | None = None) -> Ranking:
    """Return the ranking that recalls by all that is `stored`, and combines the scores.

    `weights` are by the names in `MEASURES`; without them those of `WEIGHTS` count for what is stored. Raises
    InvalidRequest for a fusion or a weight of what is not there.
    """
    there = {name: measure for name, measure in MEASURES.items() if measure.name in stored}
    if isinstance(fusion, Fusion):
        if weights is not None:
            raise InvalidRequest("weights are part of the Fusion that is given; leave weights out")
        made = fusion
    elif fusion in ("zscore", "rrf"):
        chosen = {name: WEIGHTS[name] for name in there} if weights is None else _known(weights, there)
        by_measure = {there[name].name: weight for name, weight in chosen.items()}
        made = ReciprocalRanks(by_measure) if fusion == "rrf" else ZScores(by_measure)
    elif fusion in FUSIONS:
        if weights is not None:
            raise InvalidRequest(f"weights are for fusion='zscore' and 'rrf'; fusion={fusion!r} takes one score alone")
        _known({fusion: 1.0}, there)
        made = Alone(there[fusion].name)
    else:
        raise InvalidRequest(f"fusion must be one of {', '.join(FUSIONS)}, or a Fusion, got {fusion!r}")
    recalls = tuple(each for each in there.values() if each is not TOKENS)
    return Ranking(recalls, tuple(there.values()), made)


_REMEDIES = {
    "lexical": "; store words with lexical='default' (--lexical)",
    "sparse": "; store sparse vectors with sparse_model=... (--sparse-model)",
}


def _known(weights: Any, there: Mapping[str, Measure]) -> dict[str, float]:
    """Return the weights; raise InvalidRequest for a name that is not there."""
    if not isinstance(weights, Mapping):
        raise InvalidRequest(f"weights must be numbers by the names {', '.join(there)}, got {weights!r}")
    for name in weights:
        if name not in there:
            remedy = _REMEDIES.get(name, "")
            raise InvalidRequest(f"there is no score {name!r} to rank by, only {', '.join(there) or 'none'}{remedy}")
    return dict(weights)


def stage_for(
    stage: Stage | Ranking | None,
    stored: Collection[str],
    fusion: FusionName | Fusion | None = None,
    weights: Mapping[str, float] | None = None,
) -> Stage | Ranking:
    """Return the stage that was asked for, or the best that there is.

    `stored` are the names of the representations that there are to compare. Raises InvalidRequest for what they do not
    allow.
    """
    if stage is not None and fusion is not None:
        raise InvalidRequest("stage names a whole ranking, fusion only how scores are combined; give one of the two")
    if weights is not None and not (stage is None or stage in ("fused", "rrf")):
        raise InvalidRequest(f"stage={stage!r} combines no scores, so it takes no weights")
    if stage in ("fused", "rrf"):
        return fused("rrf" if stage == "rrf" else "zscore", stored, weights)
    if fusion is not None or weights is not None:
        return fused(fusion or "zscore", stored, weights)
    if stage is None:
        return _best(stored)
    if stage in ("dense", "maxsim", "exhaustive") and DENSE.name not in stored:
        raise InvalidRequest(f"there are no dense vectors to compare, so stage={stage!r} cannot be; leave stage out")
    if stage in ("maxsim", "exhaustive") and TOKENS.name not in stored:
        raise InvalidRequest(f'there are no token vectors to compare, so stage={stage!r} cannot be; use stage="dense"')
    if stage == "lexical" and LEXICAL.name not in stored:
        raise InvalidRequest(
            "there are no words to compare, so stage='lexical' cannot be; store them: reencode with lexical='default'"
            " (--lexical)"
        )
    if stage == "sparse" and SPARSE.name not in stored:
        raise InvalidRequest(
            "there are no sparse vectors to compare, so stage='sparse' cannot be; store them: reencode with"
            " sparse_model=... (--sparse-model)"
        )
    return stage


def _best(stored: Collection[str]) -> Stage | Ranking:
    if BY_TERMS & {*stored} and len((BY_TERMS | {DENSE.name}) & {*stored}) > 1:
        return fused("zscore", stored)
    if TOKENS.name in stored:
        return "maxsim"
    alone: tuple[Stage, ...] = ("dense", "lexical", "sparse")
    return next((each for each in alone if each in stored), "dense")
