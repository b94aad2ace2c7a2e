"""A ranking as a value: recalls find candidates, scores compare them, a fusion makes one number of the scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from pgencoder.errors import InvalidRequest
from pgencoder.representations.base import Measure
from pgencoder.representations.dense import InnerProduct
from pgencoder.representations.tokens import MaxSim
from pgencoder.types import STAGES, Stage


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

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures by name."""
        return {measure.name: measure for measure in (*self.recalls, *self.scores)}


DENSE = InnerProduct()
TOKENS = MaxSim()


def by_maxsim(measure: MaxSim = TOKENS) -> Ranking:
    """Return the ranking of the nearest passages by MaxSim."""
    return Ranking((DENSE,), (DENSE, measure), Alone(measure.name))


RANKINGS: Mapping[Stage, Ranking] = {
    "dense": Ranking((DENSE,), (DENSE,), Alone(DENSE.name)),
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
