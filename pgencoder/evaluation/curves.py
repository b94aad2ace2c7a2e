"""Measures a collection with several numbers of candidates: what the recalls find, and what stages gain and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from pgencoder.evaluation.judging import Judgements
from pgencoder.evaluation.measuring import Run, Way
from pgencoder.evaluation.reports import Cost, Curves
from pgencoder.results import Hit
from pgencoder.search.ranking import MEASURES, fused

COUNTS = (10, 20, 50, 100, 200)
TOGETHER = "together"


def measure(run: Run, ways: Mapping[str, Way]) -> Curves:
    """Measure the recalls, and these ways in turns, with more and fewer candidates where they change the order.

    A way without candidates, which takes long, is left out.
    """
    tried: dict[tuple[str, int], Way] = {}
    for name, way in ways.items():
        counts = (way.candidates,) if way.alone or name == "tuned" else tuple(sorted({*COUNTS, way.candidates}))
        if not way.exhaustive:
            tried |= {(name, count): Way(way.ranking, count) for count in counts}
    cost: dict[str, dict[int, Cost]] = {}
    for (name, count), result in run.in_turns("candidates", tried, deep=False).items():
        cost.setdefault(name, {})[count] = Cost(result.ndcg, result.p50_ms)
    return Curves(_recall(run), cost)


def _recall(run: Run) -> dict[str, dict[int, float]]:
    """Return the share of the relevant documents that each recall finds, and all together, by number of candidates."""
    recalls = fused("zscore", run.collection.generation.stored).recalls
    names = {name: measure for name, measure in MEASURES.items() if measure in recalls}
    judged = run.judged.judgements()
    shares: dict[str, dict[int, list[float]]] = {}
    for number, asked in enumerate(run.encodings, 1):
        found = {name: run.recalled(asked, measure, (), COUNTS[-1]) for name, measure in names.items()}
        for name, lists in [*((name, [hits]) for name, hits in found.items()), (TOGETHER, list(found.values()))]:
            for count in COUNTS:
                shares.setdefault(name, {}).setdefault(count, []).append(_share(lists, count, judged[asked]))
        run.progress("recall", number, len(run.encodings))
    if len(names) == 1:
        del shares[TOGETHER]
    return {name: {count: fmean(values) for count, values in each.items()} for name, each in shares.items()}


def _share(recalled: Sequence[Sequence[Hit]], count: int, judged: Judgements) -> float:
    """Return the share of the relevant documents of a query that are among the first of each list."""
    relevant = {document for document, relevance in judged.items() if relevance > 0}
    found = {str(hit.key) for hits in recalled for hit in hits[:count]}
    return len(relevant & found) / len(relevant) if relevant else 0.0
