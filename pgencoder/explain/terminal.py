"""Shows an explanation in a terminal: the passage with its matches marked, and a table of the query's words.

Each mark has the numbers of the query's words that it matched, so it can be read without colours. Without colours the
marks are in brackets too.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgencoder.explain.marks import Mark, found, segments, strongest
from pgencoder.explain.matches import PassageMatch, WordMatch
from pgencoder.plain import one_line

AROUND = 60
MOST = 4
BAR = 10
RAISED = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹·")


def rendered(explanation: PassageMatch, coloured: bool) -> Iterator[Text | Padding]:
    """Yield the parts to print, one below the other."""
    passage = Text()
    for segment in segments(explanation, AROUND):
        if isinstance(segment, Mark):
            _mark(passage, segment, coloured)
        else:
            passage.append(one_line(segment))
    yield passage
    yield Padding(_table(explanation), (1, 0, 0, 0))


def _mark(passage: Text, mark: Mark, coloured: bool) -> None:
    numbers = ",".join(map(str, mark.matched)).translate(RAISED)
    text = one_line(mark.text)
    passage.append(text if coloured else f"[{text}]", _style(mark.strength))
    passage.append(numbers, "bold")


def _style(strength: float) -> str:
    # text and background, so that it is readable on dark and on light terminals
    if strength >= 0.9:
        return "black on bright_yellow"
    return "black on yellow" if strength >= 0.7 else "underline"


def _table(explanation: PassageMatch) -> Table:
    table = Table("", "query", "adds", "", "matched", box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.columns[0].justify = table.columns[2].justify = "right"
    most = strongest(explanation)
    for number, word in enumerate(explanation.words, 1):
        bar = "▇" * round(BAR * max(0.0, word.score) / most)
        table.add_row(str(number), Text(one_line(word.word)), f"{word.score:.2f}", Text(bar, "yellow"), _found(word))
    if explanation.special is not None:
        special = explanation.special
        table.add_row("", Text(one_line(special.word), "dim"), f"{special.score:.2f}", "", _found(special))
    table.add_row("", Text("MaxSim", "bold"), Text(f"{explanation.score:.2f}", "bold"), "", "")
    return table


def _found(word: WordMatch) -> Text:
    shown = [f"{one_line(each.word)} {each}" for each in found(word)]
    more = f", and {len(shown) - MOST} more" if len(shown) > MOST else ""
    return Text(", ".join(shown[:MOST]) + more)
