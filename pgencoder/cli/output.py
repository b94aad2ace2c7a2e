"""What commands print: tables for people, progress on stderr, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from pgencoder.evaluation.backlog import QueueReport
from pgencoder.evaluation.ingest import IngestReport
from pgencoder.evaluation.rerank import RerankReport
from pgencoder.evaluation.write import WriteReport
from pgencoder.ingest.backfill import Progress as OnProgress
from pgencoder.types import CollectionStatus, FailedRow, Hit, Kernel, SyncReport, WorkerStatus

NO_COLLECTIONS = "no collections yet; make one with: pgencoder attach TABLE --columns a,b"

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """The rate since the start, or nothing yet."""
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


@contextmanager
def progress(label: str, unit: str = "rows") -> Iterator[OnProgress]:
    """A bar on stderr: what is done of what is known, how fast, and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=errors)
    task = bar.add_task(label, total=None)

    def update(done: int, total: int) -> None:
        bar.start()  # at the first news, so that a command with nothing to do shows no bar
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        bar.stop()


def as_json(value: Any) -> None:
    """Print JSON; keys of types that JSON lacks become text."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def hits(found: list[Hit]) -> None:
    """Print search results, best first."""
    if not found:
        console.print("nothing found")
    for place, hit in enumerate(found, 1):
        rank = "" if hit.recall_rank is None else f"  (dense: {hit.recall_rank}.)"
        console.print(Text(f"{place:>2}. {hit.score:7.3f}  {hit.key}{rank}", style="bold"))
        console.print(Text("    " + shorten(hit.content, 240)))


def kernel(used: Kernel) -> str:
    """One line on which kernel is used, and why."""
    return f"MaxSim kernel: {'pure SQL' if used.name == 'sql' else 'native'}: {used.why}"


def report(name: str, done: SyncReport) -> None:
    """One line on what was encoded."""
    unchanged = f" ({done.unchanged} unchanged)" if done.unchanged else ""
    failed = f", {done.failed} FAILED" if done.failed else ""
    print(
        f"{name}: {done.rows} rows encoded{unchanged}, {done.passages} passages, {done.deleted} rows gone{failed},"
        f" {done.encode_seconds:.1f} s in the model"
    )


def status(
    states: Sequence[CollectionStatus], workers: Sequence[WorkerStatus], failed: Mapping[str, Sequence[FailedRow]]
) -> None:
    """Print collections with their generations and failed rows, then the workers."""
    if not states:
        print(NO_COLLECTIONS)
    for state in states:
        console.print(_collection(state))
        console.print(_generations(state))
        for row in failed[state.name]:
            when = "rests: pgencoder retry" if row.retry_at is None else f"again at {row.retry_at:%H:%M:%S}"
            key = ", ".join(f"{name} {value}" for name, value in row.key.items())
            line = f"  failed: {key}: {shorten(row.error, 160)} ({row.attempts} attempts, {when})"
            console.print(Text(line, style="red"), soft_wrap=True)
        console.print()
    if workers:
        console.print(_workers(workers))
    waiting = sum(each.queued for state in states for each in state.generations)
    if waiting and not any(worker.alive for worker in workers):
        console.print(Text(f"no worker runs and {waiting:,} rows wait; start one: pgencoder worker", style="yellow"))


def _collection(state: CollectionStatus) -> Table:
    table = Table(title=Text(state.name, style="bold"), title_justify="left", show_header=False, box=None)
    rows = "the table is gone" if state.source_rows is None else f"{state.source_rows:,}"
    size = "" if state.bytes_per_passage is None else f", {state.bytes_per_passage:,} bytes a passage"
    ranked = "none, dense vectors only" if state.tokens == "none" else f"{state.scoring}, kernel {state.kernel}"
    truncated = f"{state.truncated_rows:,} cut at the model's limit" if state.chunking == "truncate" else "none cut"
    facts = {
        "source": f"{state.source} ({', '.join(state.columns)})",
        "rows": f"{rows}, {truncated}",
        "MaxSim": f"{ranked}{size}",
    }
    for label, fact in facts.items():
        table.add_row(Text(f"  {label}", style="dim"), Text(fact))
    return table


def _generations(state: CollectionStatus) -> Table:
    columns = (
        "generation",
        "model",
        "stored as",
        "encoded",
        "passages",
        "queued",
        "in flight",
        "failed",
        "lag",
        "rows/s",
    )
    table = Table(*columns, "index", box=None, header_style="dim", padding=(0, 2, 0, 2))
    for each in state.generations:
        table.add_row(
            Text(f"{each.number} {each.state}", style="green" if each.state == "active" else ""),
            Text(each.model.split("/")[-1] + (f" + {each.token_model.split('/')[-1]}" if each.token_model else "")),
            f"{'dense only' if each.tokens == 'none' else each.tokens}, {each.chunking}",
            "?" if each.coverage is None else f"{_percent(each.coverage)}",
            f"{each.passages:,}",
            f"{each.queued:,}",
            f"{each.in_flight:,}",
            Text(f"{each.failed:,}", style="red" if each.failed else ""),
            _age(each.lag_seconds) if each.lag_seconds else "-",
            f"{each.rows_per_second:.1f}",
            "hnsw" if each.indexed else "not yet",
        )
    return table


def _workers(workers: Sequence[WorkerStatus]) -> Table:
    table = Table("worker", "device", "models", "last seen", "rows", "rows/s", "problem", box=None, header_style="dim")
    for worker in workers:
        seen = _age((datetime.now(UTC) - worker.last_seen).total_seconds()) + " ago"
        table.add_row(
            f"{worker.host}:{worker.pid}",
            worker.device or "-",
            Text(", ".join(model.split("/")[-1] for model in worker.models) or "-"),
            Text(seen if worker.alive else f"dead? {seen}", style="" if worker.alive else "red"),
            f"{worker.rows:,}",
            f"{worker.rows_per_second:.1f}" if worker.alive else "-",
            Text(worker.problem or "", style="red"),
        )
    return table


def _percent(share: float) -> str:
    # not 100% before it is
    return f"{math.floor(share * 1000) / 10:.1f}%" if share < 1 else "100%"


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def rerank_report(report: RerankReport) -> None:
    """Print a benchmark of MaxSim: the forms, where the native time goes, and all passages."""
    console.print(
        f"{report.rows}: {report.candidates} documents of {report.tokens:.0f} tokens, {report.dims} dimensions,"
        f" {report.query_tokens:.0f} query tokens; medians of {report.queries} queries\n",
        soft_wrap=True,
    )
    table = Table("MaxSim", "rerank ms", "times faster", "with recall ms", "times faster", box=None)
    for name, form in report.forms.items():
        figures = (form.rerank_ms, form.times_faster, form.search_ms, form.search_times_faster)
        table.add_row(name.replace("_", ", "), *(f"{figure:.2f}" for figure in figures))
    console.print(table)
    if report.exhaustive is None:
        console.print(f"\nno native kernel: {report.without_native}", soft_wrap=True)
        return
    table = Table("native rerank", "ms", "kernel alone", "detoasting", "rows", "other", "ms / kernel", box=None)
    for kind, part in report.breakdown.items():
        total = report.forms[f"native_{kind}"].rerank_ms
        parts = (total, part.kernel_ms, part.detoast_ms, part.rows_ms, part.other_ms, part.ratio)
        table.add_row(kind, *("-" if each is None else f"{each:.2f}" for each in parts))
    console.print("", table, sep="\n")
    console.print(
        f"instructions: {report.simd}; other: the query, sent and prepared, less what the kernel alone waits for"
        " memory, which in the server is part of detoasting",
        soft_wrap=True,
    )
    all_of = report.exhaustive
    console.print(
        f"\nall {all_of.passages:,} passages, bit: {all_of.one_process_ms:.1f} ms in one process,"
        f" {all_of.faster:.2f} times as fast as so many reranks;"
        f" {all_of.two_processes_ms:.1f} ms in two, {all_of.parallel_speedup:.2f} times faster",
        soft_wrap=True,
    )


def ingest_report(report: IngestReport) -> None:
    """Print a benchmark of ingestion."""
    table = Table("run", "backfill s", "of it encoding s", "model alone s", "ratio", box=None)
    for number, run in enumerate(report.runs, 1):
        seconds = (run.backfill_seconds, run.encode_seconds, run.model_seconds)
        ratio = run.backfill_seconds / run.model_seconds
        table.add_row(str(number), *(f"{each:.1f}" for each in seconds), f"{ratio:.3f}")
    console.print(
        f"{report.documents:,} documents, {report.passages:,} passages, chunking {report.chunking}\n", table, sep="\n"
    )
    console.print(f"\nratio of the sums {report.ratio:.3f}, peak memory {report.peak_mib:,.0f} MiB")


def write_report(report: WriteReport) -> None:
    """Print a benchmark of writing."""
    table = Table("workers", "passages/s", "times the first", "s", "then the index s", box=None)
    for result in report.results:
        times = result.passages_per_second / report.results[0].passages_per_second
        figures = (f"{result.passages_per_second:,.0f}", f"{times:.2f}")
        table.add_row(str(result.workers), *figures, f"{result.seconds:.2f}", f"{result.index_seconds:.2f}")
    console.print(
        f"{report.passages:,} passages, each {report.tokens} bit tokens of {report.dims} dimensions, no model\n",
        table,
        sep="\n",
    )


def queue_report(report: QueueReport) -> None:
    """Print a benchmark of the queue."""
    changed = report.changes
    console.print(
        f"{changed.changes:,} changes of {changed.rows:,} rows left {changed.queued:,} keys in the queue;"
        f" {changed.bulk_per_second:,.0f} changes/s by statements of all rows,"
        f" {changed.single_per_second:,.0f} one by one\n"
        f"{report.rows:,} rows queued, {report.keys_per_second:,.0f} keys/s\n",
        soft_wrap=True,
    )
    table = Table(f"claims of {report.batch_rows} keys", "done before", "p50 ms", "p95 ms", box=None)
    names = {"fresh": report.fresh, "nothing vacuumed": report.worked, "and a transaction open": report.held}
    for name, claims in names.items():
        table.add_row(name, f"{claims.before:,}", f"{claims.p50_ms:.2f}", f"{claims.p95_ms:.2f}")
    console.print(table)


def shorten(text: str, width: int) -> str:
    """The start of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
