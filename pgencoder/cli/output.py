"""What commands print: tables for people, progress on stderr, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
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
from rich.text import Text

from pgencoder.ingest.sync import Progress as OnProgress
from pgencoder.types import Hit

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


def shorten(text: str, width: int) -> str:
    """The start of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
