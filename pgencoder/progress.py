"""Bars that say how far something is: in a terminal on stderr, in a notebook below its cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from html import escape
from typing import TYPE_CHECKING, Any

from pgencoder.plain import one_line

if TYPE_CHECKING:  # it takes a moment to import, and most programs show no bar
    from rich.console import Console

OnProgress = Callable[[int, int], None]
SECONDS = 0.2  # between two looks of a notebook's bar


def shown(given: OnProgress | bool | None, label: str) -> AbstractContextManager[OnProgress | None]:
    """The function that a caller gave; without one a bar where people look on, with False none at all."""
    if callable(given):
        return nullcontext(given)
    if given is False:
        return nullcontext(None)
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        from IPython.display import HTML, display  # type: ignore[import-not-found]

        return notebook_bar(label, lambda html, handle: handle.update(HTML(html)) or handle
                            if handle else display(HTML(html), display_id=True))  # fmt: skip
    if given or console.is_terminal:
        return bar(label, console=console)
    return nullcontext(None)


@contextmanager
def bar(label: str, unit: str = "rows", *, console: Console, redirect: bool = False) -> Iterator[OnProgress]:
    """A bar in a terminal: what is done of what is known, how fast, and the time left.

    It appears with the first news, so that nothing to do shows no bar. With `redirect` what is printed to stdout
    meanwhile goes above the bar.
    """
    from rich.errors import LiveError
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(one_line(unit), markup=False),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
    )
    live = Progress(*columns, console=console, redirect_stdout=redirect)
    task = live.add_task(one_line(label), total=None, rate="")

    def update(done: int, total: int) -> None:
        try:
            live.start()
        except LiveError:  # the program shows a bar of its own
            return
        speed = live.tasks[0].speed
        live.update(task, completed=done, total=total, rate=f"{speed:.0f}/s" if speed else "")

    try:
        yield update
    finally:
        if live.live.is_started:
            live.stop()


@contextmanager
def notebook_bar(label: str, show: Callable[[str, Any], Any]) -> Iterator[OnProgress]:
    """A bar in a notebook; `show` shows HTML, in place of what it returned before if that is given."""
    started = time.monotonic()
    handle: Any = None
    last, latest = 0.0, ""

    def update(done: int, total: int) -> None:
        nonlocal handle, last, latest
        seconds = time.monotonic() - started
        rate = f", {done / seconds:,.0f}/s" if done and seconds else ""
        latest = (
            f'<progress value="{done}" max="{max(total, 1)}"></progress> {escape(label)} {done:,} of {total:,}{rate}'
        )
        if handle is None or seconds - last >= SECONDS:
            handle, last = show(latest, handle), seconds

    try:
        yield update
    finally:
        if handle is not None:
            show(latest, handle)
