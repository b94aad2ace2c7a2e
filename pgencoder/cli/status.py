"""Prints `pgencoder status`: a paragraph for each collection and worker, in lines that fit the terminal."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from pgencoder.cli.output import NO_COLLECTIONS, row_key, say, say_parts, shorten
from pgencoder.encoders import NO_MODEL
from pgencoder.plain import one_line
from pgencoder.results import CollectionStatus, FailedRow, GenerationStatus, WorkerStatus

INDENT = 2
LABEL = 12  # width of a label, with the space after it

MOST_CLAUSES = 4  # lines of a problem, one for each clause

Part = str | Text | None


def show(
    states: Sequence[CollectionStatus],
    workers: Sequence[WorkerStatus],
    failed: Mapping[str, Sequence[FailedRow]],
    now: datetime,
    elsewhere: Collection[tuple[str, int]] = (),
) -> None:
    """Print collections with their generations and failed rows, then the workers, then advice.

    `elsewhere` are the generations, by collection and number, whose encoders `pgencoder worker` cannot load.
    """
    if not states:
        say(NO_COLLECTIONS)
    for state in states:
        say(state.name, "bold")
        _collection(state)
        for row in failed.get(state.name, ()):
            _fact("failed", _failure(row), style="red")
        say("")
    for worker in workers:
        _worker(worker, now)
    if workers:
        say("")
    if not any(worker.alive for worker in workers):
        _advise(states, elsewhere)
    if troubled := [state.name for state in states if _problems(state)]:
        say(f"{len(troubled)} of {len(states)} collections need attention: {', '.join(troubled)}", "bold red")


def _advise(states: Sequence[CollectionStatus], elsewhere: Collection[tuple[str, int]]) -> None:
    """Say how the rows that wait can be encoded."""
    waiting = {True: 0, False: 0}
    for state in states:
        for each in state.generations:
            waiting[(state.name, each.number) in elsewhere] += each.queued
    if waiting[False]:
        say(f"no worker runs and {waiting[False]:,} rows wait; start one: pgencoder worker", "yellow")
    if waiting[True]:
        say(
            f"no worker runs and {waiting[True]:,} rows wait for encoders that other programs have; start one there:"
            " db.worker(encoders=[...]).run()",
            "yellow",
        )


def _collection(state: CollectionStatus) -> None:
    for problem in _problems(state):
        _problem(problem)
    known = "rows unknown" if state.source_rows is None else f"{state.source_rows:,} rows"
    _fact("source", f"{state.source} ({', '.join(state.columns)})", known)
    size = None if state.bytes_per_passage is None else f"{state.bytes_per_passage:,} bytes a passage"
    if state.tokens == "none":
        _fact("MaxSim", "none: no token vectors", size)
    else:
        _fact("MaxSim", state.scoring, f"kernel {state.kernel}", size)
    for each in state.generations:
        label = f"{each.number} {each.state}"
        _fact(label, *_made_by(each), label_style="green" if each.state == "active" else "dim")
        truncated = state.truncated_rows if each.state == "active" else 0
        unknown = each.unknown_passages
        _fact(
            "",
            *_stored(each),
            f"{truncated:,} cut at the model's limit" if truncated else None,
            Text(f"{unknown:,} mostly unknown to the model", "yellow") if unknown else None,
        )
        _fact("", *_waiting(each))


def _problems(state: CollectionStatus) -> list[str]:
    without = [
        f"generation {each.number} has no index: {each.index_error}" for each in state.generations if each.index_error
    ]
    return [state.problem, *without] if state.problem else without


def _made_by(each: GenerationStatus) -> tuple[str, ...]:
    models = " + ".join(name.split("/")[-1] for name in (each.model, each.token_model, each.sparse_model) if name)
    if each.model == NO_MODEL:
        return "no model", f"words only ({each.lexical})"
    stored = "dense vectors" if each.tokens == "none" else f"{each.tokens} tokens"
    if each.pooling > 1:
        stored += f" (pooling {each.pooling})"
    if each.lexical != "none":
        stored += f", words ({each.lexical})"
    elif each.tokens == "none":
        stored += " only"
    return models, stored, f"{each.chunking} chunking"


def _stored(each: GenerationStatus) -> tuple[str, ...]:
    encoded = "unknown how many are encoded" if each.coverage is None else f"{_percent(each.coverage)} encoded"
    return (
        encoded,
        f"{each.passages:,} passages",
        ("HNSW index" if each.model != NO_MODEL else "GIN index") if each.indexed else "no index yet",
    )


def _waiting(each: GenerationStatus) -> tuple[Part, ...]:
    return (
        f"{each.queued:,} queued",
        f"{each.in_flight:,} in flight",
        Text(f"{each.failed:,} failed", "red" if each.failed else ""),
        f"lag {_age(each.lag_seconds)}" if each.lag_seconds else None,
        f"{each.rows_per_second:.1f} rows/s" if each.rows_per_second else None,
    )


def _failure(row: FailedRow) -> str:
    when = "rests: pgencoder retry" if row.retry_at is None else f"again at {row.retry_at:%H:%M:%S}"
    return f"{row_key(row.key)}: {shorten(row.error, 160)} ({row.attempts} attempts, {when})"


def _worker(worker: WorkerStatus, now: datetime) -> None:
    seen = f"seen {_age((now - worker.last_seen).total_seconds())} ago"
    _fact(
        "worker",
        Text(one_line(f"{worker.host}:{worker.pid}"), "bold"),
        seen if worker.alive else Text(f"dead? {seen}", "red"),
        f"on {worker.device}" if worker.device else None,
        f"{worker.rows:,} rows",
        f"{worker.rows_per_second:.1f} rows/s" if worker.alive else None,
        *(model.split("/")[-1] for model in worker.models),
        indent=0,
    )
    if worker.problem:
        _problem(worker.problem)


def _problem(text: str) -> None:
    """Print a problem, with each command that repairs it on a new line."""
    for place, clause in enumerate(text.split("; ", MOST_CLAUSES - 1)):
        _fact("" if place else "PROBLEM", clause, style="bold red")


def _fact(label: str, *parts: Part, style: str = "", label_style: str = "dim", indent: int = INDENT) -> None:
    """Print a label and the parts that are not empty; a file or a pipe gets them on one line."""
    texts = [each if isinstance(each, Text) else Text(one_line(each), style) for each in parts if each]
    say_parts(Text(f"{' ' * indent}{label:<{LABEL}}", style or label_style), texts, indent + LABEL)


def _percent(share: float) -> str:
    # rounded down, so that 100% means all
    return f"{math.floor(share * 1000) / 10:.1f}%" if share < 1 else "100%"


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
