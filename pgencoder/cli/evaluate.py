"""The command `pgencoder eval`, and the table that it prints."""

from __future__ import annotations

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
    from pgencoder.evaluation.beir import Report


@command(
    MEASURING,
    "pgencoder eval scifact",
    "pgencoder eval scifact --chunking truncate --stages dense,maxsim",
    name="eval",
)
def evaluate(
    directory: Annotated[Path, typer.Argument(metavar="BEIR_DIR", help="corpus.jsonl, queries.jsonl, qrels/.")],
    database: URL = None,
    model: MODEL = DEFAULT_MODEL,
    token_model: TOKEN_MODEL = None,
    tokens: Annotated[TokenType, typer.Option(help="How token vectors are stored.")] = "bit",
    chunking: Annotated[Chunking, typer.Option(help="truncate: one passage a document.")] = "default",
    lexical: Annotated[str, typer.Option(metavar="CONFIG", help=LEXICAL_HELP)] = "english",
    pooling: Annotated[int, typer.Option(help=POOLING_HELP)] = 1,
    candidates: CANDIDATES = 100,
    stages: Annotated[str, typer.Option(help="Which stages, with commas between.")] = ",".join(STAGES),
    split: Annotated[str, typer.Option(help="Which judgements: qrels/SPLIT.tsv.")] = "test",
    json: JSON = False,
) -> None:
    """Measure retrieval quality and speed on a BEIR data set; the next run uses the same vectors."""
    from pgencoder.evaluation import beir

    names = [stage.strip() for stage in stages.split(",")]
    chosen = [stage for stage in STAGES if stage in names]
    if unknown := set(names) - set(chosen):
        raise InvalidRequest(f"no stage {unknown.pop()!r}; the stages are {', '.join(STAGES)}")
    db = open_database(database)
    dataset = beir.read(directory, split)
    encoded = beir.Setup(model, token_model, tokens, chunking, lexical, pooling)
    with output.progress("encoding") as on_sync, output.progress("searching", "queries") as on_query:

        def progress(step: str, done: int, total: int) -> None:
            (on_sync if step == "encoding" else on_query)(done, total)

        report = beir.evaluate(db, dataset, encoded, candidates=candidates, stages=chosen, progress=progress)
    if json:
        output.as_json(report.as_json())
    else:
        _report(report)


def _report(report: Report) -> None:
    """Print an evaluation: a line for each stage."""
    output.say(
        f"{report.dataset}: {report.documents:,} documents, {report.passages:,} passages, {report.queries} queries,"
        f" {report.model}"
    )
    output.say(
        f"tokens {report.tokens}, chunking {report.chunking}, {report.candidates} candidates,"
        f" {report.bytes_per_passage:,} bytes a passage, kernel {report.kernel}, {report.scoring} scoring"
    )
    output.say("")
    columns = ("stage", "nDCG@10", "recall@100", "p50 ms", "p95 ms")
    rows = [
        (name, f"{result.ndcg:.4f}", f"{result.recall:.4f}", f"{result.p50_ms:.1f}", f"{result.p95_ms:.1f}")
        for name, result in report.stages.items()
    ]
    output.table(columns, rows)
