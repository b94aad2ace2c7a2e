"""Reorders the best hits of a search by a reranker, in Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgencoder.encoders import Reranker, shared_reranker
from pgencoder.errors import InvalidEncoding, InvalidRequest
from pgencoder.results import Hit, Part
from pgencoder.types import RERANK_TOP, check_count

NAME = "cross-encoder"  # of its score in `Hit.parts`


@dataclass(frozen=True)
class Reranking:
    """A last stage: `reranker` reads the best `top` hits of the search, and orders them."""

    reranker: Reranker
    top: int = RERANK_TOP

    def __post_init__(self) -> None:
        check_count("rerank_top", self.top)

    def best(self, query: str, hits: Sequence[Hit], k: int, min_relevance: float | None = None) -> list[Hit]:
        """Return the `k` best hits; raises InvalidEncoding if the reranker does not return a number for each.

        `score` is the reranker's and `relevance` the probability that it stands for. `parts` has it beside the others.
        """
        scores = _checked(self.reranker.scores(query, [hit.content for hit in hits]), len(hits))
        order = sorted(range(len(hits)), key=lambda each: -scores[each])  # equal ones stay as they were
        found = [_scored(hits[each], scores[each], rank) for rank, each in enumerate(order, 1)]
        return [hit for hit in found if min_relevance is None or (hit.relevance or 0) >= min_relevance][:k]


def reranking(reranker: str | Reranker | None, top: int) -> Reranking | None:
    """Return the stage for what a caller gives: the name or directory of a cross-encoder, or a `Reranker`."""
    if reranker is None:
        return None
    if isinstance(reranker, str):
        return Reranking(shared_reranker(reranker), top)
    if not isinstance(reranker, Reranker):
        raise InvalidRequest(
            f"rerank must be the name of a cross-encoder, or an object with scores(query, passages), got {reranker!r}"
        )
    return Reranking(reranker, top)


def _checked(returned: Sequence[float], count: int) -> list[float]:
    try:
        scores = [float(each) for each in returned]
    except (TypeError, ValueError):
        raise InvalidEncoding(f"the reranker must return {count} numbers, got {returned!r}") from None
    if len(scores) != count:
        raise InvalidEncoding(f"the reranker must return {count} numbers, one for each passage, got {len(scores)}")
    if not all(map(math.isfinite, scores)):
        raise InvalidEncoding("the reranker returned NaN or infinity")
    return scores


def _scored(hit: Hit, score: float, rank: int) -> Hit:
    # the tangent is the logistic function, and does not overflow
    relevance = (1 + math.tanh(score / 2)) / 2
    parts = {**hit.parts, NAME: Part(score, rank)}
    return replace(hit, score=score, relevance=relevance, parts=parts, explainer=hit.__dict__["_explainer"])
