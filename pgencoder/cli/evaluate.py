"""The command `pgencoder eval`, and the table that it prints."""

from __future__ import annotations

from collections.abc import Sequence
from csv import writer as csv_writer
from pathlib import Path
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
    TOKEN_MODEL,
    URL,
    command,
    open_database,
)
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest
from pgencoder.types import STAGES, Chunking, TokenType

if TYPE_CHECKING:
    from pgencoder.evaluation.reports import Report


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
    from pgencoder.evaluation.measuring import Plan

    names = [stage.strip() for stage in stages.split(",")]
    chosen = [stage for stage in STAGES if stage in names]
    if unknown := set(names) - set(chosen):
        raise InvalidRequest(f"no stage {unknown.pop()!r}; the stages are {', '.join(STAGES)}")
    db = open_database(database)
    plan = Plan(chosen, candidates)
    encoded = beir.Setup(model, token_model, tokens, chunking, lexical, pooling)
    datasets = [(beir.read(each, split), beir.read(each, "train") if tune else None) for each in directories]
    with output.progress("encoding") as on_sync, output.progress("searching", "queries") as on_query:

        def progress(step: str, done: int, total: int) -> None:
            (on_sync if step == "encoding" else on_query)(done, total)

        reports = [beir.evaluate(db, dataset, encoded, plan, train, progress) for dataset, train in datasets]
    if csv is not None:
        _write_csv(csv, reports)
    if json:
        output.as_json([each.as_json() for each in reports] if len(reports) > 1 else reports[0].as_json())
    else:
        _print(reports)
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


def _print(reports: Sequence[Report]) -> None:
    """Print each evaluation, and the means of several."""
    from pgencoder.evaluation import texts

    for report in reports:
        for line in texts.heading(report):
            output.say(line)
        output.say("")
        output.table(*texts.table(report))
        for line in texts.notes(report):
            output.say(line)
        output.say("")
    if len(reports) > 1:
        output.say(f"mean of {len(reports)} data sets")
        output.table(*texts.means(reports))
