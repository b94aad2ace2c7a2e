"""Measures a cross-encoder as the last stage, beside MaxSim of as many passages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean, median

from pgencoder.encoders import Reranker
from pgencoder.evaluation.measuring import Run, Way
from pgencoder.evaluation.reports import Crossed, StageResult
from pgencoder.search.ranking import ALONE, ranking_of, stage_for
from pgencoder.search.rerank import NAME, Reranking

__all__ = ["NAME", "measure"]


class Timed:
    """A reranker that notes its milliseconds and the number of passages of each call."""

    def __init__(self, reranker: Reranker) -> None:
        self.reranker = reranker
        self.ms: list[float] = []
        self.read: list[int] = []

    def scores(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        """Return those of the reranker."""
        started = time.perf_counter()
        scores = self.reranker.scores(query, passages)
        self.ms.append((time.perf_counter() - started) * 1000)
        self.read.append(len(passages))
        return scores


def measure(run: Run, reranker: Reranker, candidates: int, top: int) -> tuple[StageResult, Crossed]:
    """Let the reranker reorder the `top` best documents of the usual search, and time MaxSim of as many passages."""
    stage = stage_for(None, run.collection.generation.stored)
    timed = Timed(reranker)
    result = run.measure(NAME, Way(ranking_of(stage), candidates, Reranking(timed, top)))
    return (
        result,
        Crossed(
            model=str(getattr(reranker, "name", type(reranker).__name__)),
            trained=bool(getattr(reranker, "trained", True)),
            after=stage if isinstance(stage, str) else "fused",
            passages=fmean(timed.read[1:]),  # the first call is to warm up
            ms=median(timed.ms[1:]),
            maxsim_ms=_maxsim_ms(run, top),
        ),
    )


def _maxsim_ms(run: Run, top: int) -> float | None:
    """Return the median of the milliseconds that MaxSim adds to a search by dense vectors; None without tokens.

    Each search runs twice and the second run counts, so that its pages are in memory.
    """
    if "tokens" not in run.collection.generation.stored:
        return None
    dense, maxsim = Way(ALONE["dense"], top), Way(ALONE["maxsim"], top)
    added = []
    for number, asked in enumerate(run.encodings, 1):
        added.append(_ms(run, asked, maxsim) - _ms(run, asked, dense))
        run.progress("maxsim alone", number, len(run.encodings))
    return median(added)


def _ms(run: Run, asked: str, way: Way) -> float:
    run.search(asked, way)
    started = time.perf_counter()
    run.search(asked, way)
    return (time.perf_counter() - started) * 1000
