"""The command `pgencoder eval`, and the table that it prints."""

from __future__ import annotations

from collections.abc import Sequence
from csv import writer as csv_writer
from dataclasses import dataclass
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
    SPARSE_MODEL,
    TOKEN_MODEL,
    URL,
    command,
    open_database,
)
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest
from pgencoder.types import STAGES, Chunking, TokenType, check_count

if TYPE_CHECKING:
    from pgencoder import Database
    from pgencoder.evaluation.beir import Setup
    from pgencoder.evaluation.evaluating import Plan
    from pgencoder.evaluation.judging import Judged
    from pgencoder.evaluation.reports import Report


@dataclass(frozen=True)
class Given:
    """The data of an evaluation: BEIR folders, or a collection and files of judged queries."""

    directories: Sequence[Path]
    split: str
    collection: str | None
    queries: Path | None
    tune: bool
    train: Path | None

    def check(self, encoded: Setup) -> None:
        """Raise InvalidRequest for options that do not go together."""
        from pgencoder.evaluation.beir import DEFAULT

        if bool(self.directories) == bool(self.collection):
            raise InvalidRequest("give either BEIR folders, or --collection NAME --queries FILE")
        if self.collection is None:
            if self.queries or self.train:
                raise InvalidRequest(
                    "--queries and --train are for --collection NAME; a BEIR folder has its own queries"
                )
        elif self.queries is None:
            raise InvalidRequest("--collection needs --queries FILE, a line of JSON for each query")
        elif self.tune != bool(self.train):
            raise InvalidRequest("--collection takes --tune and --train FILE together; FILE has other judged queries")
        elif encoded != DEFAULT:
            raise InvalidRequest(
                "a collection is evaluated as it is encoded: leave out --model, --token-model, --sparse-model,"
                " --tokens, --chunking, --lexical and --pooling, or change it with: pgencoder reencode"
            )


@command(
    MEASURING,
    "pgencoder eval scifact",
    "pgencoder eval scifact --chunking truncate --stages dense,maxsim",
    "pgencoder eval scifact --tune --report scifact.html",
    "pgencoder eval --collection articles --queries judged.jsonl",
    name="eval",
)
def evaluate(
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="BEIR_DIR", help="Each with corpus.jsonl, queries.jsonl, qrels/."),
    ] = None,
    database: URL = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Evaluate this collection instead; nothing is encoded.")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='Of it, lines of JSON: {"query": "text", "relevant": ["key", ...]}.'),
    ] = None,
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
        bool,
        typer.Option(
            "--tune", help="Choose the fusion's weights and candidates on qrels/train.tsv; stage tuned has the result."
        ),
    ] = False,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a collection, the queries to tune on, like --queries.")
    ] = None,
    rerank: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Add stage cross-encoder: name or directory of the model.")
    ] = None,
    rerank_top: Annotated[
        int | None, typer.Option(help="How many the cross-encoder reads.", show_default="as many as candidates")
    ] = None,
    gate: Annotated[
        float | None, typer.Option(help="Fail if nDCG@10 of the fusion, or of the best stage, is below this.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an HTML page with the table, plots and queries.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a line for each query and stage to this file.")
    ] = None,
    json: JSON = False,
) -> None:
    """Measure retrieval quality and speed on judged queries: of BEIR data sets, or of a collection.

    Documents of a BEIR data set are encoded; the next run uses the same vectors.
    """
    from pgencoder.evaluation.beir import Setup

    given = Given(directories or [], split, collection, queries, tune, train)
    encoded = Setup(model, token_model, tokens, chunking, lexical, pooling, sparse_model)
    given.check(encoded)
    for path in (report, csv):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise InvalidRequest(
                f"cannot write {path}: {'it is a folder' if path.is_dir() else 'its folder is missing'}"
            )
    plan = _plan(stages, candidates, rerank, rerank_top, curves=report is not None)
    reports = _evaluate(open_database(database), given, encoded, plan)
    for warning in (warning for each in reports for warning in each.warnings):
        output.warn(f"warning: {warning}")
    if json:
        output.as_json([each.as_json() for each in reports] if len(reports) > 1 else reports[0].as_json())
    else:
        _print(reports)
    if csv is not None:
        _write_csv(csv, reports)
    if report is not None:
        from pgencoder.evaluation.page import page

        report.write_text(page(reports), encoding="utf-8")
    if gate is not None:
        below = [f"{each.dataset} {_gated(each):.4f}" for each in reports if _gated(each) < gate]
        if below:
            output.fail(f"nDCG@10 is below {gate}: {', '.join(below)}")


def _plan(stages: str, candidates: int, rerank: str | None, rerank_top: int | None, *, curves: bool) -> Plan:
    from pgencoder.encoders import load_reranker
    from pgencoder.evaluation.evaluating import Plan

    names = [stage.strip() for stage in stages.split(",")]
    chosen = [stage for stage in STAGES if stage in names]
    if unknown := set(names) - set(chosen):
        raise InvalidRequest(f"no stage {unknown.pop()!r}; the stages are {', '.join(STAGES)}")
    check_count("candidates", candidates)
    check_count("rerank_top", 1 if rerank_top is None else rerank_top)
    # a random head is enough to measure times, and the report says that it is one
    reranker = None if rerank is None else load_reranker(rerank, allow_untrained=True)
    return Plan(chosen, candidates, reranker, rerank_top, curves)


def _evaluate(db: Database, given: Given, encoded: Setup, plan: Plan) -> list[Report]:
    """Read the data, and evaluate it with bars on stderr."""
    from pgencoder.evaluation import beir, evaluating

    judged, train = _own(db, given)
    datasets = [
        (beir.read(each, given.split), beir.read(each, "train") if given.tune else None) for each in given.directories
    ]
    with output.progress("encoding") as on_sync, output.progress("searching", "queries") as on_query:

        def progress(step: str, done: int, total: int) -> None:
            (on_sync if step == "encoding" else on_query)(done, total)

        if judged is not None:
            return [evaluating.evaluate(db, judged.name, judged, plan, train, progress)]
        return [beir.evaluate(db, each, encoded, plan, training, progress) for each, training in datasets]


def _own(db: Database, given: Given) -> tuple[Judged | None, Judged | None]:
    """Read the judged queries of a collection and those to tune on."""
    from pgencoder.evaluation import own

    if given.collection is None:
        return None, None
    described = db.collection(given.collection)
    judged, train = (None if path is None else own.read(db, described, path) for path in (given.queries, given.train))
    return judged, train


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
