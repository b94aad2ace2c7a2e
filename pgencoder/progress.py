"""Shows progress bars: in a terminal on stderr, in a notebook below the cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from html import escape
from typing import TYPE_CHECKING, Any

from pgencoder.plain import one_line

if TYPE_CHECKING:  # the import takes a moment, and most programs show no bar
    from rich.console import Console

Progress = Callable[[int, int], None]
SECONDS = 0.2  # between two updates of a notebook's bar


def open_bar(given: Progress | bool | None, label: str) -> AbstractContextManager[Progress | None]:
    """Open the progress display that a caller asks for, and return the function that updates it.

    `given` is that function, True for a bar, False for nothing, or None for a bar in a terminal or a notebook.
    """
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
def bar(label: str, unit: str = "rows", *, console: Console, redirect: bool = False) -> Iterator[Progress]:
    """Show a bar in a terminal: the number done, the known total, the rate, and the time left.

    The bar appears at the first update, so that there is no bar if there is no work. With `redirect`, text that the
    program prints to stdout appears above the bar.
    """
    from rich.errors import LiveError
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(one_line(unit), markup=False),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
    )
    live = Bars(*columns, console=console, redirect_stdout=redirect)
    task = live.add_task(one_line(label), total=None, rate="")

    def update(done: int, total: int) -> None:
        try:
            live.start()
        except LiveError:  # the program shows another bar
            return
        speed = live.tasks[0].speed
        live.update(task, completed=done, total=total, rate=f"{speed:.0f}/s" if speed else "")

    try:
        yield update
    finally:
        if live.live.is_started:
            live.stop()


@contextmanager
def notebook_bar(label: str, show: Callable[[str, Any], Any]) -> Iterator[Progress]:
    """Show a bar in a notebook; `show(html, handle)` displays HTML, replaces the display `handle`, and returns one."""
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
