"""Shows an explanation as HTML that stands alone: inline styles only, because notebooks drop others, and no script.

The marks have one transparent hue, for light and dark backgrounds and for the colour-blind. Numbers say which words of
the query a mark belongs to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from pgencoder.explain.marks import Found, Mark, found, segments, strongest
from pgencoder.explain.matches import LexicalMatch, PassageMatch, WordMatch
from pgencoder.plain import shown_key

AROUND = 600
MOST = 4
HUE = "230,140,0"  # orange: people with red-green blindness tell it from black, white and grey
LINE = "border-bottom:1px solid rgba(128,128,128,.3)"
FAINT = "opacity:.7"


def html(explanation: PassageMatch) -> str:
    """Render the passage with its marks, then tables of the query's words."""
    of_query = [each.word for each in explanation.words or explanation.lexical or ()]
    words = dict(enumerate(of_query, 1))
    passage = "".join(
        _mark(segment, words) if isinstance(segment, Mark) else escape(segment)
        for segment in segments(explanation, AROUND)
    )
    title = (
        f'<div style="{LINE};padding-bottom:.4em;margin-bottom:.6em;display:flex;gap:1.5em;align-items:baseline">'
        f'<b dir="auto" style="font-size:1.05em">{escape(explanation.query)}</b>'
        f'<span style="margin-left:auto;white-space:nowrap;{FAINT}">{escape(_place(explanation))}</span></div>'
    )
    text = f'<div dir="auto" style="white-space:pre-wrap;max-height:26em;overflow:auto">{passage}</div>'
    return (
        '<div style="font:14px/1.7 system-ui,sans-serif;max-width:60em;padding:.6em 0">'
        f"{title}{text}{_matched(explanation)}{_same_words(explanation.lexical)}</div>"
    )


def _place(explanation: PassageMatch) -> str:
    passage = f", passage {explanation.passage}" if explanation.passage else ""
    return f"key {shown_key(explanation.key)}{passage}"


def _mark(mark: Mark, words: dict[int, str]) -> str:
    title = ", ".join(f"{words[number]} {similarity:.2f}" for number, similarity in mark.matched.items())
    numbers = ",".join(map(str, mark.matched))
    return (
        f'<mark title="{escape(title)}" style="{_ground(mark.strength)};color:inherit;border-radius:3px;'
        f'padding:.1em .15em">{escape(mark.text)}'
        f'<sup style="font-size:.65em;line-height:0;{FAINT}">{numbers}</sup></mark>'
    )


def _ground(strength: float) -> str:
    # the similarities of a passage are close together: the cube makes their differences visible
    return f"background:rgba({HUE},{0.1 + 0.45 * strength**3:.2f})"


def _matched(explanation: PassageMatch) -> str:
    """Render what MaxSim adds up."""
    if explanation.lexical is not None and not explanation.words and explanation.special is None:
        return ""
    most = strongest(explanation.words)
    rows = [_row(str(number), word, most, _words(word)) for number, word in enumerate(explanation.words, 1)]
    if explanation.special is not None:
        rows.append(_row("", explanation.special, most, _words(explanation.special)))
    return _table("matched", rows, "MaxSim", explanation.score)


def _same_words(lexical: Sequence[LexicalMatch] | None) -> str:
    """Render what BM25 adds up."""
    if lexical is None:
        return ""
    most, total = strongest(lexical), math.fsum(match.score for match in lexical)
    rows = [
        _row(str(number), match, most, ", ".join(f"<bdi>{escape(word)}</bdi>" for word in match.words))
        for number, match in enumerate(lexical, 1)
    ]
    return _table("same word", rows, "BM25", total)


def _table(found: str, rows: Sequence[str], total_name: str, total: float) -> str:
    head = "".join(
        f'<th style="{_cell(align)};{FAINT};font-weight:normal">{name}</th>'
        for name, align in (("", "right"), ("query", "left"), ("adds", "right"), ("", ""), (found, "left"))
    )
    last = (
        f'<tr style="background:none"><td style="{_cell("")}"></td><td style="{_cell("left")}"><b>{total_name}</b></td>'
        f'<td style="{_cell("right")}"><b>{total:.2f}</b></td></tr>'
    )
    return (
        '<table style="border-collapse:collapse;border:0;font:inherit;margin:.8em 0 0;line-height:1.4">'
        f'<tr style="background:none;{LINE}">{head}</tr>{"".join(rows)}{last}</table>'
    )


def _row(number: str, word: WordMatch | LexicalMatch, most: float, matched: str) -> str:
    width = 0 if word.span is None else 6 * max(0.0, word.score) / most
    bar = f'<div style="width:{width:.1f}em;height:.7em;background:rgba({HUE},.6)"></div>'
    return (
        f'<tr style="background:none;{LINE}"><td style="{_cell("right")};{FAINT}">{number}</td>'
        f'<td style="{_cell("left")}" dir="auto">{escape(word.word)}</td>'
        f'<td style="{_cell("right")}">{word.score:.2f}</td><td style="{_cell("left")};width:6em">{bar}</td>'
        f'<td style="{_cell("left")}">{matched}</td></tr>'
    )


def _words(word: WordMatch) -> str:
    all_of = found(word)
    more = f'<span style="{FAINT}">, and {len(all_of) - MOST} more</span>' if len(all_of) > MOST else ""
    return ", ".join(_found(each) for each in all_of[:MOST]) + more


def _found(each: Found) -> str:
    where = "" if each.span is None else f' title="characters {each.span[0]} to {each.span[1]}"'
    return f'<bdi{where}>{escape(each.word)}</bdi>&nbsp;<span style="white-space:nowrap;{FAINT}">{each}</span>'


def _cell(align: str) -> str:
    return f"text-align:{align or 'inherit'};padding:.2em .8em .2em 0;border:0;vertical-align:baseline"
