"""Shows an explanation in a terminal: the passage with its matches marked, and tables of the query's words.

Each mark has the numbers of the query's words that it matched, so it can be read without colours. Without colours the
marks are in brackets too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgencoder.explain.marks import Mark, found, segments, strongest
from pgencoder.explain.matches import LexicalMatch, PassageMatch, WordMatch
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
    if explanation.lexical is None or explanation.words or explanation.special is not None:
        yield Padding(_table(explanation), (1, 0, 0, 0))
    if explanation.lexical is not None:
        yield Padding(_same_words(explanation.lexical), (1, 0, 0, 0))


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
    table, most = _empty("matched"), strongest(explanation.words)
    for number, word in enumerate(explanation.words, 1):
        bar = _bar(word.score / most)
        table.add_row(str(number), Text(one_line(word.word)), f"{word.score:.2f}", bar, _found(word))
    if explanation.special is not None:
        special = explanation.special
        table.add_row("", Text(one_line(special.word), "dim"), f"{special.score:.2f}", "", _found(special))
    table.add_row("", Text("MaxSim", "bold"), Text(f"{explanation.score:.2f}", "bold"), "", "")
    return table


def _same_words(lexical: Sequence[LexicalMatch]) -> Table:
    table, most = _empty("same word"), strongest(lexical)
    for number, match in enumerate(lexical, 1):
        bar, same = _bar(match.score / most), Text(one_line(", ".join(match.words)))
        table.add_row(str(number), Text(one_line(match.word)), f"{match.score:.2f}", bar, same)
    total = math.fsum(match.score for match in lexical)
    table.add_row("", Text("BM25", "bold"), Text(f"{total:.2f}", "bold"), "", "" if lexical else "no word is the same")
    return table


def _empty(found: str) -> Table:
    table = Table("", "query", "adds", "", found, box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.columns[0].justify = table.columns[2].justify = "right"
    return table


def _bar(part: float) -> Text:
    return Text("▇" * round(BAR * max(0.0, part)), "yellow")


def _found(word: WordMatch) -> Text:
    shown = [f"{one_line(each.word)} {each}" for each in found(word)]
    more = f", and {len(shown) - MOST} more" if len(shown) > MOST else ""
    return Text(", ".join(shown[:MOST]) + more)
