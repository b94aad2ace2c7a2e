"""Evaluates a collection that is encoded: runs a plan of stages, and makes a report of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgencoder.database import Database
from pgencoder.encoders import Reranker, model_names
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import crossing, curves
from pgencoder.evaluation.judging import Judged
from pgencoder.evaluation.measuring import OnStep, Run, Way, ignore
from pgencoder.evaluation.reports import Report
from pgencoder.evaluation.tuning import COUNTS, Candidates, Tuned, tune
from pgencoder.search.ranking import ALONE, MEASURES, fused, ranking_of, stage_for
from pgencoder.types import STAGES, Collection, Stage


@dataclass(frozen=True)
class Plan:
    """The stages to run, of those that the collection can have, and the number of candidates.

    `reranker` adds the stage "cross-encoder", which reorders the best `rerank_top` documents, or as many as candidates.
    `curves` runs the stages with other numbers of candidates too.
    """

    stages: Sequence[Stage] = STAGES
    candidates: int = 100
    reranker: Reranker | None = None
    rerank_top: int | None = None
    curves: bool = False


def evaluate(
    db: Database,
    name: str,
    judged: Judged,
    plan: Plan,
    train: Judged | None = None,
    progress: OnStep | None = None,
) -> Report:
    """Run every judged query through each stage of a collection that is encoded; raise InvalidRequest if it has none.

    With `train`, other judged queries, the weights of the fusion and the number of candidates are tuned on those; the
    stage "tuned" has what they reach. `progress` is called with a stage, and with the number of queries that are done
    and of all.
    """
    collection = db.collection(name)
    stored = collection.generation.stored
    report = _described(db, collection, judged, plan.candidates)
    run = Run.of(db, collection, judged, progress or ignore)
    ways: dict[str, Way] = {
        stage: Way(ranking_of(stage_for(stage, stored)), plan.candidates)
        for stage in plan.stages
        if _possible(stage, stored)
    }
    if not ways:
        raise InvalidRequest(f"{name!r} stores nothing for {', '.join(plan.stages)}; choose other stages")
    if train is not None:
        tuned = _tuned(Run.of(db, collection, train, run.progress), plan.candidates)
        ways["tuned"] = Way(fused("zscore", stored, tuned.weights), tuned.candidates)
        report = replace(report, tuned=tuned, warnings=(*report.warnings, *train.warnings, *_overlap(judged, train)))
    stages = {stage: run.measure(stage, way) for stage, way in ways.items()}
    if plan.curves:
        report = replace(report, curves=curves.measure(run, ways))
    if plan.reranker is not None:
        stages[crossing.NAME], crossed = crossing.measure(
            run, plan.reranker, plan.candidates, plan.rerank_top or plan.candidates
        )
        report = replace(report, crossed=crossed)
    return replace(report, stages=stages)


def _described(db: Database, collection: Collection, judged: Judged, candidates: int) -> Report:
    """Return a report without results."""
    generation = collection.generation
    state = next(each for each in db.status() if each.name == collection.name)
    kernel = db.kernel()
    waiting = f"{state.queued:,} rows of {collection.name!r} wait to be encoded; what they need is not found"
    return Report(
        dataset=judged.name,
        model=model_names(generation.encoder),
        documents=state.source_rows or 0,
        queries=len(judged.queries),
        passages=state.passages,
        chunking=generation.chunking,
        tokens=generation.token_type,
        pooling=generation.pooling,
        lexical=generation.lexical,
        candidates=candidates,
        kernel=kernel.name,
        scoring=kernel.scoring(generation.token_type),
        bytes_per_passage=state.bytes_per_passage or 0,
        judged=judged,
        warnings=(*judged.warnings, *([waiting] if state.queued else [])),
    )


def _possible(stage: Stage, stored: frozenset[str]) -> bool:
    """Return True if what the stage compares is stored; a fusion takes what there is."""
    return stage not in ALONE or stored.issuperset(measure.name for measure in ALONE[stage].measures.values())


def _tuned(train: Run, candidates: int) -> Tuned:
    """Tune the fusion: the candidates of each query are read once, and then ranked in many ways."""
    ranking = fused("zscore", train.collection.generation.stored)
    judged, found = train.judged.judgements(), []
    names = [name for name, measure in MEASURES.items() if measure in ranking.scores]
    most = max(*COUNTS, candidates)
    for number, asked in enumerate(train.encodings, 1):
        recalled = [train.recalled(asked, each, ranking.scores, most) for each in ranking.recalls]
        found.append(Candidates.of(recalled, names, judged[asked]))
        train.progress("tuning", number, len(train.encodings))
    return tune(found, names, candidates)


def _overlap(judged: Judged, train: Judged) -> list[str]:
    both = len(set(judged.queries.values()) & set(train.queries.values()))
    if not both:
        return []
    return [f"{both} of the training queries are test queries too, so what is tuned looks better than it is"]
