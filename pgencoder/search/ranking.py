"""A ranking as a value: recalls find candidates, scores compare them, a fusion makes one number of the scores."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from pgencoder.errors import InvalidRequest
from pgencoder.representations.base import Measure
from pgencoder.representations.dense import InnerProduct
from pgencoder.representations.lexical import Bm25
from pgencoder.representations.tokens import MaxSim
from pgencoder.types import STAGES, Stage, check_count


class Fusion(ABC):
    """The way from the scores of a candidate to the one that it is ranked by."""

    @abstractmethod
    def score(self, scores: Mapping[str, str]) -> str:
        """Return the expression over all candidates; `scores` has the column of each score, by its measure's name."""


@dataclass(frozen=True)
class Alone(Fusion):
    """One of the scores, as it is."""

    name: str

    def score(self, scores: Mapping[str, str]) -> str:
        """Return its column."""
        return scores[self.name]


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
        terms = [
            f"({weight!r} OPERATOR(pg_catalog.*) {self.term(scores[name])})" for name, weight in self.weights.items()
        ]
        return f"(({' OPERATOR(pg_catalog.+) '.join(terms)}) OPERATOR(pg_catalog./) {sum(self.weights.values())!r})"

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


def by_maxsim(measure: MaxSim = TOKENS) -> Ranking:
    """Return the ranking of the nearest passages by MaxSim."""
    return Ranking((DENSE,), (DENSE, measure), Alone(measure.name))


RANKINGS: Mapping[Stage, Ranking] = {
    "dense": Ranking((DENSE,), (DENSE,), Alone(DENSE.name)),
    "lexical": Ranking((LEXICAL,), (LEXICAL,), Alone(LEXICAL.name)),
    "maxsim": by_maxsim(),
    "exhaustive": Ranking((), (DENSE, TOKENS), Alone(TOKENS.name)),
}


def ranking_of(stage: Stage | Ranking) -> Ranking:
    """Return the ranking that a stage is the name of; raise InvalidRequest if there is none."""
    if isinstance(stage, Ranking):
        return stage
    if stage not in STAGES:
        raise InvalidRequest(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
    return RANKINGS[stage]


def stage_for(stage: Stage | Ranking | None, tokens: bool) -> Stage | Ranking:
    """Return the stage that was asked for, or the best that there is; `tokens` tells if there are any to compare."""
    if stage is None:
        return "maxsim" if tokens else "dense"
    if stage in ("maxsim", "exhaustive") and not tokens:
        raise InvalidRequest(f'there are no token vectors to compare, so stage={stage!r} cannot be; use stage="dense"')
    return stage
