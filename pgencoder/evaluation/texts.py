"""The sentences and the table of a report, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from pgencoder.evaluation.reports import Crossed, Report
from pgencoder.evaluation.tuning import Tuned

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def heading(report: Report) -> list[str]:
    """Return the lines that say what was measured."""
    pooled = f" (pooling {report.pooling})" if report.pooling > 1 else ""
    return [
        f"{report.dataset}: {report.documents:,} documents, {report.passages:,} passages, {report.queries} queries,"
        f" {report.model}",
        f"tokens {report.tokens}{pooled}, chunking {report.chunking}, {report.candidates} candidates,"
        f" {report.bytes_per_passage:,} bytes a passage, kernel {report.kernel}, {report.scoring} scoring",
    ]


def table(report: Report) -> Table:
    """Return the columns and a row for each stage."""
    against = () if report.best_single is None else (f"against {report.best_single}",)
    rows = [
        (
            name,
            f"{result.ndcg:.4f}",
            *(compared(report, name) for _ in against),
            f"{result.recall:.4f}",
            f"{result.p50_ms:.1f}",
            f"{result.p95_ms:.1f}",
        )
        for name, result in report.stages.items()
    ]
    return ("stage", "nDCG@10", *against, "recall@100", "p50 ms", "p95 ms"), rows


def compared(report: Report, stage: str) -> str:
    """Return the difference to the best single stage, with its interval of 95 %; a star if that does not hold 0."""
    found = report.difference(stage)
    if found is None:
        return ""
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]{' *' if found.certain else ''}"


def notes(report: Report) -> list[str]:
    """Return the lines that explain stages."""
    return [
        *([] if report.tuned is None else [_tuned(report.tuned)]),
        *([] if report.crossed is None else crossed(report.crossed)),
    ]


def _tuned(tuned: Tuned) -> str:
    weights = ", ".join(f"{name}={weight:g}" for name, weight in tuned.weights.items())
    counts = ", ".join(f"{ndcg:.4f} with {count}" for count, ndcg in tuned.by_candidates.items())
    return (
        f"tuned on {tuned.queries} training queries: {weights}, {tuned.candidates} candidates; nDCG@10 there"
        f" {tuned.ndcg:.4f} ({counts} candidates), with the default weights and {tuned.default_candidates} candidates"
        f" {tuned.default_ndcg:.4f}"
    )


def crossed(found: Crossed) -> list[str]:
    """Return the lines that compare a cross-encoder with MaxSim."""
    lines = [f"cross-encoder: {found.model} reorders {found.passages:.0f} passages of stage {found.after}"]
    if found.maxsim_ms is not None and found.maxsim_ms > 0:
        lines.append(
            f"MaxSim of as many passages takes {_ms(found.maxsim_ms)} of the cross-encoder's {_ms(found.ms)} ms:"
            f" {found.ms / found.maxsim_ms:,.0f} times less"
        )
    if not found.trained:
        lines.append("the cross-encoder has no trained head, only a random one: its time counts, its quality does not")
    return lines


def _ms(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def means(reports: Sequence[Report]) -> Table:
    """Return the mean nDCG@10 of the stages that all reports have."""
    names = [name for name in reports[0].stages if all(name in each.stages for each in reports)]
    rows: list[tuple[str, ...]] = [
        (name, f"{sum(each.stages[name].ndcg for each in reports) / len(reports):.4f}") for name in names
    ]
    return ("stage", "nDCG@10"), rows
