"""What commands print: tables for people, progress on stderr, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
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

from pgencoder.explanation import Explanation
from pgencoder.explanation.terminal import one_line
from pgencoder.ingest.backfill import Progress as OnProgress
from pgencoder.types import CollectionStatus, FailedRow, Hit, Kernel, Pair, SyncReport, WorkerStatus

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
    # what is printed meanwhile goes above the bar, but into a file or a pipe where that is what stdout is
    bar = Progress(*columns, console=errors, redirect_stdout=console.is_terminal)
    task = bar.add_task(label, total=None)

    def update(done: int, total: int) -> None:
        bar.start()  # at the first news, so that a command with nothing to do shows no bar
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def as_json(value: Any) -> None:
    """Print JSON; keys of types that JSON lacks become text."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def hits(found: Sequence[Hit], explanations: Sequence[Explanation] | None = None) -> None:
    """Print search results, best first, or why each of them was found."""
    if not found:
        console.print("nothing found")
    for place, hit in enumerate(found):
        rank = "" if hit.recall_rank is None else f"  (dense: {hit.recall_rank}.)"
        console.print(Text(f"{place + 1:>2}. {hit.score:7.3f}  {one_line(str(hit.key))}{rank}", style="bold"))
        if explanations is not None:
            console.print(Padding(explanations[place], (0, 0, 1, 4)))
        else:
            console.print(Text("    " + shorten(hit.content, 240)))


def pairs(found: Iterator[Pair]) -> None:
    """Print pairs as they come, the similarity first."""
    none = True
    for pair in found:
        none = False
        key, other = one_line(str(pair.key)), one_line(str(pair.other))
        line = Text.assemble((f"{pair.similarity:.4f}", "bold"), f"  {key}  {other}")
        console.print(line, soft_wrap=True)
    if none:
        console.print("no similar pairs")


def pairs_json(found: Iterator[Pair]) -> None:
    """Print pairs as they come, one JSON object a line."""
    for pair in found:
        print(json.dumps(asdict(pair), default=str, ensure_ascii=False), flush=True)


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
    if done.index_error is not None:
        errors.print(Text(f"warning: {one_line(done.index_error)}", style="yellow"), soft_wrap=True)


def status(
    states: Sequence[CollectionStatus], workers: Sequence[WorkerStatus], failed: Mapping[str, Sequence[FailedRow]]
) -> None:
    """Print collections with their generations and failed rows, then the workers."""
    if not states:
        print(NO_COLLECTIONS)
    for state in states:
        console.print(_collection(state))
        console.print(_generations(state))
        for each in state.generations:
            if each.index_error is not None:
                console.print(Text(f"  {each.number}: {one_line(each.index_error)}", style="red"), soft_wrap=True)
        for row in failed[state.name]:
            when = "rests: pgencoder retry" if row.retry_at is None else f"again at {row.retry_at:%H:%M:%S}"
            key = ", ".join(f"{name} {value}" for name, value in row.key.items())
            line = f"  failed: {one_line(key)}: {shorten(row.error, 160)} ({row.attempts} attempts, {when})"
            console.print(Text(line, style="red"), soft_wrap=True)
        console.print()
    if workers:
        console.print(_workers(workers))
    waiting = sum(each.queued for state in states for each in state.generations)
    if waiting and not any(worker.alive for worker in workers):
        console.print(Text(f"no worker runs and {waiting:,} rows wait; start one: pgencoder worker", style="yellow"))


def _collection(state: CollectionStatus) -> Table:
    table = Table(title=Text(one_line(state.name), style="bold"), title_justify="left", show_header=False, box=None)
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
        table.add_row(Text(f"  {label}", style="dim"), Text(one_line(fact)))
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
            Text(one_line(" + ".join(name.split("/")[-1] for name in (each.model, each.token_model) if name))),
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
            Text(one_line(", ".join(model.split("/")[-1] for model in worker.models)) or "-"),
            Text(seen if worker.alive else f"dead? {seen}", style="" if worker.alive else "red"),
            f"{worker.rows:,}",
            f"{worker.rows_per_second:.1f}" if worker.alive else "-",
            Text(one_line(worker.problem or ""), style="red"),
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


def shorten(text: str, width: int) -> str:
    """The start of a text, on one line."""
    line = one_line(text).strip()
    return line if len(line) <= width else line[: width - 1] + "…"
