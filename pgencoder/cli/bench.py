"""The commands `pgencoder bench`, and the tables that they print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgencoder.cli import output
from pgencoder.cli.options import JSON, MEASURING, URL, command, group, open_database
from pgencoder.cli.output import say_lines
from pgencoder.errors import InvalidRequest
from pgencoder.types import PAIR_METHODS, Chunking

if TYPE_CHECKING:
    from pgencoder.bench.backlog import QueueReport
    from pgencoder.bench.ingest import IngestReport
    from pgencoder.bench.overhead import SearchReport
    from pgencoder.bench.pairs import PairsReport
    from pgencoder.bench.rerank import RerankReport
    from pgencoder.bench.words import WordsReport
    from pgencoder.bench.write import WriteReport

bench_app = group("bench", MEASURING, "Measure speed: ratios of two things in one run.")


@command(
    MEASURING,
    "pgencoder bench rerank --queries 3",
    "pgencoder bench rerank scifact --candidates 50",
    name="rerank",
    to=bench_app,
)
def bench_rerank(
    directory: Annotated[Path | None, typer.Argument(metavar="BEIR_DIR", help="Its documents; else synthetic.")] = None,
    database: URL = None,
    candidates: Annotated[int, typer.Option(help="Documents scored for a query.")] = 100,
    queries: Annotated[int, typer.Option(help="Queries to take the median of.")] = 30,
    json: JSON = False,
) -> None:
    """Compare MaxSim in SQL and native with a widely copied SQL example, on the same rows."""
    from pgencoder.bench import rerank
    from pgencoder.evaluation import beir

    dataset = None if directory is None else beir.read(directory)
    report = rerank.rerank(open_database(database), dataset, candidates, queries)
    if json:
        output.as_json(report.as_json())
    else:
        _rerank_report(report)


@command(MEASURING, "pgencoder bench ingest scifact --documents 500", name="ingest", to=bench_app)
def bench_ingest(
    directory: Annotated[Path, typer.Argument(metavar="BEIR_DIR", help="The documents to encode.")],
    database: URL = None,
    documents: Annotated[int | None, typer.Option(help="Only this many, from the first.")] = None,
    chunking: Annotated[Chunking, typer.Option(help="truncate: one passage a document.")] = "default",
    runs: Annotated[int, typer.Option(help="How often; the ratio is of the sums.")] = 3,
    json: JSON = False,
) -> None:
    """Compare a whole backfill with the model alone on the same batches."""
    from pgencoder.bench import ingest
    from pgencoder.evaluation import beir

    db = open_database(database)
    with output.progress("measuring", "runs") as on_run:
        options = ingest.IngestOptions(documents, chunking, runs)
        report = ingest.ingest(db, beir.read(directory), options, on_run=on_run)
    if json:
        output.as_json(report.as_json())
    else:
        _ingest_report(report)


@command(MEASURING, "pgencoder bench write --workers 1,2,4", name="write", to=bench_app)
def bench_write(
    database: URL = None,
    passages: Annotated[int, typer.Option(help="How many to write.")] = 20_000,
    workers: Annotated[str, typer.Option(help="How many worker processes at once, with commas between.")] = "1,2",
    json: JSON = False,
) -> None:
    """Measure how many passages workers write per second when the model takes no time."""
    from pgencoder.bench import write

    try:
        numbers = [int(number) for number in workers.split(",")]
    except ValueError as error:
        raise InvalidRequest(f"--workers must be numbers with commas between, got {workers!r}") from error
    report = write.write(open_database(database), passages, numbers)
    if json:
        output.as_json(report.as_json())
    else:
        _write_report(report)


@command(MEASURING, "pgencoder bench pairs --sentences 20000 --threshold 0.9", name="pairs", to=bench_app)
def bench_pairs(
    database: URL = None,
    sentences: Annotated[int, typer.Option(help="How many sentences.")] = 10_000,
    threshold: Annotated[float, typer.Option(help="The least cosine of a pair.")] = 0.8,
    methods: Annotated[str, typer.Option(help="Which methods, with commas between.")] = "exact,ann",
    json: JSON = False,
) -> None:
    """Measure seconds, recall and memory of a search for pairs planted among synthetic sentences."""
    from pgencoder.bench import pairs as measure

    chosen = [method for method in PAIR_METHODS if method in methods.split(",")]
    if unknown := set(methods.split(",")) - set(chosen):
        raise InvalidRequest(f"no method {unknown.pop()!r}; the methods are {', '.join(PAIR_METHODS)}")
    report = measure.pairs(open_database(database), sentences, threshold, chosen, output.progress)
    if json:
        output.as_json(report.as_json())
    else:
        _pairs_report(report)


@command(MEASURING, "pgencoder bench queue --rows 100000", name="queue", to=bench_app)
def bench_queue(
    database: URL = None,
    rows: Annotated[int, typer.Option(help="How many rows to queue.")] = 1_000_000,
    changes: Annotated[int, typer.Option(help="Changes in all, of a thousand rows.")] = 100_000,
    json: JSON = False,
) -> None:
    """Measure the queue after many changes, and the time of a claim while much is queued."""
    from pgencoder.bench import backlog

    report = backlog.backlog(open_database(database), rows, changes)
    if json:
        output.as_json(report.as_json())
    else:
        _queue_report(report)


@command(MEASURING, "pgencoder bench search --passages 5000", name="search", to=bench_app)
def bench_search(
    database: URL = None,
    passages: Annotated[int, typer.Option(help="How many to search.")] = 2_000,
    queries: Annotated[int, typer.Option(help="Queries to take the median of.")] = 100,
    json: JSON = False,
) -> None:
    """Measure searches in Python and in SQL, beside the HNSW scan alone."""
    from pgencoder.bench import overhead

    report = overhead.search(open_database(database), passages, queries)
    if json:
        output.as_json(report.as_json())
    else:
        _search_report(report)


@command(MEASURING, "pgencoder bench words --passages 100000 --inserts 1000", name="words", to=bench_app)
def bench_words(
    database: URL = None,
    passages: Annotated[int, typer.Option(help="How many to search.")] = 100_000,
    queries: Annotated[int, typer.Option(help="Queries of each kind.")] = 50,
    exact: Annotated[int, typer.Option(help="Queries of each kind that are compared with all passages.")] = 5,
    inserts: Annotated[int, typer.Option(help="Passages to write afterwards, with words and without.")] = 0,
    dims: Annotated[int, typer.Option(help="Dimensions of the vectors.")] = 384,
    json: JSON = False,
) -> None:
    """Measure searches by words among synthetic passages, and what words cost a write."""
    from pgencoder.bench import words

    report = words.words(open_database(database), passages, queries, exact, inserts, dims)
    if json:
        output.as_json(report.as_json())
    else:
        _words_report(report)


def _rerank_report(report: RerankReport) -> None:
    """Print a benchmark of MaxSim: the forms, the parts of the native time, and the times for all passages."""
    say_lines(
        f"{report.rows}: {report.candidates} documents of {report.tokens:.0f} tokens, {report.dims} dimensions,"
        f" {report.query_tokens:.0f} query tokens; medians of {report.queries} queries\n",
    )
    columns = ("MaxSim", "rerank ms", "times faster", "with recall ms", "times faster")
    rows = []
    for name, form in report.forms.items():
        figures = (form.rerank_ms, form.times_faster, form.search_ms, form.search_times_faster)
        rows.append((_form(name), *(f"{figure:.2f}" for figure in figures)))
    output.table(columns, rows)
    if report.exhaustive is None:
        say_lines(f"\nno native kernel: {report.without_native}")
        return
    headings = ("native rerank", "ms", "kernel alone", "detoasting", "rows", "other", "ms / kernel")
    breakdown = []
    for kind, part in report.breakdown.items():
        total = report.forms[f"native_{kind}"].rerank_ms
        parts = (total, part.kernel_ms, part.detoast_ms, part.rows_ms, part.other_ms, part.ratio)
        breakdown.append((_form(kind), *("-" if each is None else f"{each:.2f}" for each in parts)))
    say_lines("")
    output.table(headings, breakdown)
    say_lines(
        f"instructions: {report.simd}; other: to send and prepare the query, minus the time that the kernel alone waits"
        " for memory, which in the server is part of detoasting",
    )
    all_of = report.exhaustive
    say_lines(
        f"\nall {all_of.passages:,} passages, bit: {all_of.one_process_ms:.1f} ms in one process,"
        f" {all_of.faster:.2f} times as fast as reranking the same number;"
        f" {all_of.two_processes_ms:.1f} ms in two, {all_of.parallel_speedup:.2f} times faster",
    )


def _form(name: str) -> str:
    return name.replace("_pooled", ", pooling 2").replace("_", ", ")


def _ingest_report(report: IngestReport) -> None:
    """Print a benchmark of ingestion."""
    columns = ("run", "backfill s", "of it encoding s", "model alone s", "ratio")
    rows = []
    for number, run in enumerate(report.runs, 1):
        seconds = (run.backfill_seconds, run.encode_seconds, run.model_seconds)
        ratio = run.backfill_seconds / run.model_seconds
        rows.append((str(number), *(f"{each:.1f}" for each in seconds), f"{ratio:.3f}"))
    say_lines(f"{report.documents:,} documents, {report.passages:,} passages, chunking {report.chunking}\n")
    output.table(columns, rows)
    say_lines(f"\nratio of the sums {report.ratio:.3f}, peak memory {report.peak_mib:,.0f} MiB")


def _write_report(report: WriteReport) -> None:
    """Print a benchmark of writing."""
    columns = ("workers", "passages/s", "times the first", "s", "then the index s")
    rows = []
    for result in report.results:
        times = result.passages_per_second / report.results[0].passages_per_second
        figures = (f"{result.passages_per_second:,.0f}", f"{times:.2f}")
        rows.append((str(result.workers), *figures, f"{result.seconds:.2f}", f"{result.index_seconds:.2f}"))
    say_lines(
        f"{report.passages:,} passages, each {report.tokens} bit tokens of {report.dims} dimensions, no model\n",
    )
    output.table(columns, rows)


def _queue_report(report: QueueReport) -> None:
    """Print a benchmark of the queue."""
    changed = report.changes
    say_lines(
        f"{changed.changes:,} changes of {changed.rows:,} rows left {changed.queued:,} keys in the queue;"
        f" {changed.bulk_per_second:,.0f} changes/s by statements of all rows,"
        f" {changed.single_per_second:,.0f} one by one\n"
        f"{report.rows:,} rows queued, {report.keys_per_second:,.0f} keys/s\n",
    )
    columns = (f"claims of {report.batch_rows} keys", "done before", "p50 ms", "p95 ms")
    rows = []
    names = {"fresh": report.fresh, "nothing vacuumed": report.worked, "and a transaction open": report.held}
    for name, claims in names.items():
        rows.append((name, f"{claims.before:,}", f"{claims.p50_ms:.2f}", f"{claims.p95_ms:.2f}"))
    output.table(columns, rows)


def _pairs_report(report: PairsReport) -> None:
    """Print a benchmark of similar pairs."""
    columns = ("method", "s", "first pair s", "pairs", "true pairs", "recall", "peak MiB", "before MiB")
    rows = []
    for result in report.results:
        rows.append(
            (
                result.method,
                f"{result.seconds:.2f}",
                f"{result.first_seconds:.2f}",
                f"{result.pairs:,}",
                f"{result.found:,}",
                f"{result.recall:.4f}",
                f"{result.peak_mib:,.0f}",
                f"{result.idle_mib:,.0f}",
            )
        )
    say_lines(
        f"{report.sentences:,} synthetic sentences of {report.dims} dimensions, {report.true_pairs:,} true pairs of at"
        f" least {report.threshold}\n",
    )
    output.table(columns, rows)


def _words_report(report: WordsReport) -> None:
    """Print a benchmark of words."""
    say_lines(
        f"{report.passages:,} synthetic passages of 40 to 120 words, {report.bytes_per_passage:,} bytes a passage with"
        f" vectors of {report.dims} dimensions; 100 candidates, {report.queries} queries of each kind\n"
    )
    rows = [
        (
            result.kind,
            f"{result.p50_ms:.1f}",
            f"{result.p95_ms:.1f}",
            "-" if result.recall is None else f"{result.recall:.3f}",
        )
        for result in report.results
    ]
    output.table(("queries", "p50 ms", "p95 ms", "recall@10"), rows)
    if report.with_seconds is not None and report.without_seconds is not None:
        say_lines(
            f"\n{report.inserted:,} more passages: {report.with_seconds:.2f} s with words,"
            f" {report.without_seconds:.2f} s without: {report.with_seconds / report.without_seconds:.2f} times"
        )


def _search_report(report: SearchReport) -> None:
    """Print a benchmark of searching."""
    measured = {
        "the HNSW scan alone, prepared": report.hnsw_ms,
        "Database.search, dense": report.dense_ms,
        "Database.asearch, dense": report.adense_ms,
        "the search function in SQL, dense": report.function_ms,
        "Database.search, dense and MaxSim": report.maxsim_ms,
        "MaxSim of the candidates alone": report.rerank_ms,
        "Python's part of a dense search": report.python_ms,
    }
    built = {
        "pgencoder.select: building the statement": report.build_ms,
        "compiling it, not from SQLAlchemy's cache": report.compile_ms,
        "building and executing it": report.build_ms + report.select_ms,
        "psycopg with the bare SQL": report.driver_ms,
        "the server: planning and running the statement": report.server_ms,
    }
    rows = []
    for name, milliseconds in (measured | built).items():
        rows.append((name, f"{milliseconds:.2f}", f"{milliseconds / report.hnsw_ms:.2f}"))
    say_lines(f"{report.passages:,} synthetic passages; medians of {report.queries} queries, encoding aside\n")
    output.table(("", "ms", "times the scan"), rows)
    say_lines(f"\na dense search waits for the server {report.round_trips} times")
