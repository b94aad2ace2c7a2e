"""Prints the output of commands: lines for people, progress on stderr, JSON for programs.

Names, keys, contents and errors come from a database, a model or a file, so they are printed as data. The console
interprets no markup. All text passes through `one_line`, `spaced` or `lines`, which remove characters that control a
terminal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgencoder.encoders import model_names
from pgencoder.plain import escaped, lines, one_line, shown_key, spaced
from pgencoder.progress import Progress, bar
from pgencoder.results import Context, Hit, Kernel, Pair, SyncReport
from pgencoder.types import Collection

if TYPE_CHECKING:
    from pgencoder.explain.explanation import Explanation


LEAST = 20  # characters on a line, however narrow the terminal
NO_COLLECTIONS = "no collections yet; make one with: pgencoder attach TABLE --columns a,b"

console = Console(highlight=False, markup=False, emoji=False)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "") -> None:
    """Print one line with its spaces; a terminal breaks it between words."""
    console.print(Text(spaced(text), style), soft_wrap=not console.is_terminal)


def warn(text: str) -> None:
    """Print one line on stderr."""
    _errors().print(Text(one_line(text)), soft_wrap=not errors.is_terminal)


def fail(*problems: str) -> NoReturn:
    """Print each error on a line and exit with status 1."""
    for problem in problems:
        warn(f"error: {problem}")
    raise typer.Exit(1)


def say_lines(text: str) -> None:
    """Print a text with its lines."""
    console.print(Text(lines(text)), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; in a file or a pipe it has its full width."""
    figures = Table(box=None)
    for each in columns:
        figures.add_column(Text(one_line(each)))
    for row in rows:
        figures.add_row(*(Text(one_line(each)) for each in row))
    whole = Console(file=console.file, width=500, highlight=False)
    (console if console.is_terminal else whole).print(figures)


def say_parts(start: Text, parts: Iterable[Text], indent: int) -> None:
    """Print a start and parts with commas between; a terminal breaks the line between parts and indents the rest."""
    width = max(console.width - max(indent, start.cell_len), LEAST) if console.is_terminal else None
    for line in _fold(parts, width):
        console.print(Text.assemble(start, line), soft_wrap=True)
        start = Text(" " * indent)


def _fold(parts: Iterable[Text], width: int | None) -> Iterator[Text]:
    """Yield lines of parts with commas between, at most `width` characters long if parts fit; None makes one line."""
    line = Text()
    known = list(parts)
    for part in [*(each + Text(",") for each in known[:-1]), *known[-1:]]:
        if line and width is not None and line.cell_len + 1 + part.cell_len > width:
            yield line
            line = Text()
        line = Text.assemble(line, " ", part) if line else part
        if width is not None and line.cell_len > width:
            *full, line = line.wrap(console, width)
            for each in full:
                each.rstrip()
                yield each
    yield line


def progress(label: str, unit: str = "rows") -> AbstractContextManager[Progress]:
    """Return a progress bar on stderr; output meanwhile appears above it, or in the file or pipe that is stdout."""
    return bar(label, unit, console=_errors(), redirect=console.is_terminal)


def _errors() -> Console:
    """Return the console of stderr, or that of stdout if both are the terminal, so that one console controls it."""
    return console if console.is_terminal and errors.is_terminal else errors


def as_json(value: Any) -> None:
    """Print JSON; values that JSON lacks, such as dates, NaN and infinity, become text."""
    _json(value, indent=2)


def json_lines(values: Iterable[Any]) -> None:
    """Print each value as soon as it comes, as a JSON object on one line."""
    for value in values:
        _json(value)


def _json(value: Any, indent: int | None = None) -> None:
    text = json.dumps(_finite(value), indent=indent, default=str, ensure_ascii=console.encoding != "utf-8")
    print(escaped(text), file=console.file, flush=indent is None)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def hits(found: Sequence[Hit], explanations: Sequence[Explanation] | None = None) -> None:
    """Print search results, best first, with their text or their explanations."""
    if not found:
        say("nothing found")
    for place, hit in enumerate(found):
        ranks = ", ".join(f"{name} {part.rank}." for name, part in hit.parts.items() if part.rank is not None)
        say(f"{place + 1:>2}. {hit.score:7.3f}  {shown_key(hit.key)}{f'  ({ranks})' if ranks else ''}", "bold")
        if explanations is not None:
            console.print(Padding(explanations[place], (0, 0, 1, 4)))
        else:
            say_parts(Text("    "), [Text(shorten(hit.content, 240))], 4)


def pairs(found: Iterator[Pair]) -> None:
    """Print each pair as soon as it comes, with the similarity first."""
    none = True
    for pair in found:
        none = False
        line = Text.assemble((f"{pair.similarity:.4f}", "bold"), f"  {shown_key(pair.key)}  {shown_key(pair.other)}")
        console.print(line, soft_wrap=True)
    if none:
        say("no similar pairs")


def context(made: Context) -> None:
    """Print a context on stdout, and its sources on stderr."""
    say_lines(made.text)
    for each in made.citations:
        warn(f"[{each.number}] {shown_key(each.key)}, characters {each.span[0]} to {each.span[1]}, {each.score:.3f}")
    warn(f"{made.tokens:,} tokens")


def collections(found: Sequence[Collection]) -> None:
    """Print a line for each collection."""
    if not found:
        say(NO_COLLECTIONS)
    for each in found:
        model = model_names(each.generation.encoder)
        source = f"{each.source_schema}.{each.source_table} ({', '.join(each.columns)})"
        say_parts(
            Text.assemble((one_line(each.name), "bold"), "  "), [Text(one_line(part)) for part in (source, model)], 4
        )


def kernel(used: Kernel) -> str:
    """Return a line that says which kernel is used, and why."""
    return f"MaxSim kernel: {'pure SQL' if used.name == 'sql' else 'native'}: {used.why}"


def report(name: str, done: SyncReport) -> None:
    """Print a line about the encoded rows."""
    unchanged = f" ({done.unchanged} unchanged)" if done.unchanged else ""
    failed = f", {done.failed} FAILED" if done.failed else ""
    say(
        f"{name}: {done.rows} rows encoded{unchanged}, {done.passages} passages, {done.deleted} rows gone{failed},"
        f" {done.encode_seconds:.1f} s in the model"
    )
    if done.index_error is not None:
        warn(f"warning: {done.index_error}")


def row_key(key: Mapping[str, Any]) -> str:
    """Return a key with the names of its columns."""
    return ", ".join(f"{one_line(name)} {shown_key(value)}" for name, value in key.items())


def shorten(text: str, width: int) -> str:
    """Return the start of a text on one line; it ends with a whole word if words are not very long."""
    line = one_line(text).strip()
    if len(line) <= width:
        return line
    space = line.rfind(" ", width // 2, width)
    return line[: width - 1 if space < 0 else space] + "…"
