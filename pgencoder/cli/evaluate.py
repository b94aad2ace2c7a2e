"""The command `pgencoder eval`, and the table that it prints."""

from __future__ import annotations

from collections.abc import Sequence
from csv import writer as csv_writer
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from pgencoder.cli import output
from pgencoder.cli.options import (
    CANDIDATES,
    JSON,
    LEXICAL_HELP,
    MEASURING,
    MODEL,
    POOLING_HELP,
    SPARSE_MODEL,
    TOKEN_MODEL,
    URL,
    command,
    open_database,
)
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest
from pgencoder.types import STAGES, Chunking, TokenType

if TYPE_CHECKING:
    from pgencoder.evaluation.beir import Report


@command(
    MEASURING,
    "pgencoder eval scifact",
    "pgencoder eval scifact --chunking truncate --stages dense,maxsim",
    name="eval",
)
def evaluate(
    directories: Annotated[
        list[Path], typer.Argument(metavar="BEIR_DIR...", help="Each with corpus.jsonl, queries.jsonl, qrels/.")
    ],
    database: URL = None,
    model: MODEL = DEFAULT_MODEL,
    token_model: TOKEN_MODEL = None,
    sparse_model: SPARSE_MODEL = None,
    tokens: Annotated[TokenType, typer.Option(help="How token vectors are stored.")] = "bit",
    chunking: Annotated[Chunking, typer.Option(help="truncate: one passage a document.")] = "default",
    lexical: Annotated[str, typer.Option(metavar="CONFIG", help=LEXICAL_HELP)] = "english",
    pooling: Annotated[int, typer.Option(help=POOLING_HELP)] = 1,
    candidates: CANDIDATES = 100,
    stages: Annotated[str, typer.Option(help="Which stages, with commas between.", show_default="all")] = ",".join(
        STAGES
    ),
    split: Annotated[str, typer.Option(help="Which judgements: qrels/SPLIT.tsv.")] = "test",
    tune: Annotated[
        bool, typer.Option("--tune", help="Choose the fusion's weights on qrels/train.tsv; stage tuned has the result.")
    ] = False,
    gate: Annotated[
        float | None, typer.Option(help="Fail if nDCG@10 of the fusion, or of the best stage, is below this.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a line for each query and stage to this file.")] = None,
    json: JSON = False,
) -> None:
    """Measure retrieval quality and speed on a BEIR data set; the next run uses the same vectors."""
    from pgencoder.evaluation import beir

    names = [stage.strip() for stage in stages.split(",")]
    chosen = [stage for stage in STAGES if stage in names]
    if unknown := set(names) - set(chosen):
        raise InvalidRequest(f"no stage {unknown.pop()!r}; the stages are {', '.join(STAGES)}")
    db = open_database(database)
    encoded = beir.Setup(model, token_model, tokens, chunking, lexical, pooling, sparse_model)
    datasets = [(beir.read(each, split), beir.read(each, "train") if tune else None) for each in directories]
    with output.progress("encoding") as on_sync, output.progress("searching", "queries") as on_query:

        def progress(step: str, done: int, total: int) -> None:
            (on_sync if step == "encoding" else on_query)(done, total)

        reports = [
            beir.evaluate(db, dataset, encoded, candidates=candidates, stages=chosen, train=train, progress=progress)
            for dataset, train in datasets
        ]
    if csv is not None:
        _write_csv(csv, reports)
    if json:
        output.as_json([each.as_json() for each in reports] if len(reports) > 1 else reports[0].as_json())
    else:
        _reports(reports)
    if gate is not None:
        below = [f"{each.dataset} {_gated(each):.4f}" for each in reports if _gated(each) < gate]
        if below:
            output.fail(f"nDCG@10 is below {gate}: {', '.join(below)}")


def _gated(report: Report) -> float:
    """Return nDCG@10 of the fusion, else of the best stage there is."""
    fused = report.stages.get("fused")
    return max(each.ndcg for each in report.stages.values()) if fused is None else fused.ndcg


def _write_csv(path: Path, reports: Sequence[Report]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv_writer(stream)
        writer.writerow(("dataset", "query", "stage", "ndcg@10", "recall@100", "ms"))
        for report in reports:
            writer.writerows(report.rows())


def _reports(reports: Sequence[Report]) -> None:
    """Print each evaluation, and the means of several."""
    for report in reports:
        _report(report)
        output.say("")
    if len(reports) > 1:
        output.say(f"mean of {len(reports)} data sets")
        names = [name for name in reports[0].stages if all(name in each.stages for each in reports)]
        rows = [(name, f"{fmean(each.stages[name].ndcg for each in reports):.4f}") for name in names]
        output.table(("stage", "nDCG@10"), rows)


def _report(report: Report) -> None:
    """Print an evaluation: a line for each stage."""
    output.say(
        f"{report.dataset}: {report.documents:,} documents, {report.passages:,} passages, {report.queries} queries,"
        f" {report.model}"
    )
    pooled = f" (pooling {report.pooling})" if report.pooling > 1 else ""
    output.say(
        f"tokens {report.tokens}{pooled}, chunking {report.chunking}, {report.candidates} candidates,"
        f" {report.bytes_per_passage:,} bytes a passage, kernel {report.kernel}, {report.scoring} scoring"
    )
    output.say("")
    columns = ("stage", "nDCG@10", f"against {report.best_single}", "recall@100", "p50 ms", "p95 ms")
    rows = [
        (
            name,
            f"{result.ndcg:.4f}",
            _compared(report, name),
            f"{result.recall:.4f}",
            f"{result.p50_ms:.1f}",
            f"{result.p95_ms:.1f}",
        )
        for name, result in report.stages.items()
    ]
    output.table(columns, rows)
    if report.tuned is not None:
        weights = ", ".join(f"{name}={weight:g}" for name, weight in report.tuned.weights.items())
        output.say(
            f"tuned on {report.tuned.queries} training queries: {weights}; nDCG@10 there {report.tuned.ndcg:.4f},"
            f" with the default weights {report.tuned.default_ndcg:.4f}"
        )


def _compared(report: Report, stage: str) -> str:
    """Return the difference to the best single stage, with its interval of 95 %; a star if that does not hold 0."""
    found = report.difference(stage)
    if found is None:
        return ""
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]{' *' if found.certain else ''}"
