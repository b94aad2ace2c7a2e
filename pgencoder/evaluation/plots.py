"""Draws plots as SVG, for a page that has the colours.

A series has a colour, a shape and a dash, so that none of them is the only sign. A text has a free place of its size:
one that would cover another is left out, because the page has all numbers in tables too. Widths are in units of a plot
400 wide, which fits a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count

WIDTH = 400
LETTER = 7.4  # the mean width of a letter of a wide font, such as DejaVu Sans, at 12 pixels
LINE = 14  # the height of a line of text
MARK = 4.5
COLOURS = 6
DASHES = ("none", "6 3", "2 3", "8 3 2 3")
EVENLY = (1.0, 2.0, 5.0)
BY_FACTORS = ((1, 10), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))

Box = tuple[float, float, float, float]
_numbers = count(1)


@dataclass(frozen=True)
class Point:
    """A point of a series; `text` is written beside it if there is room."""

    x: float
    y: float
    text: str = ""


@dataclass(frozen=True)
class Series:
    """A line of points with a name; series of the same `number` look the same in all plots."""

    name: str
    number: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Interval:
    """A value with its interval: one row of a plot."""

    name: str
    number: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Words:
    """The texts of a plot: `title` and `text` say what it shows to who does not see it, `x` and `y` name the axes."""

    title: str
    text: str
    x: str
    y: str = ""


@dataclass
class _Room:
    """The places that are taken in a plot."""

    width: float
    height: float
    taken: list[Box] = field(default_factory=list)

    def take(self, box: Box) -> bool:
        """Take a place if it is free and inside."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width or bottom > self.height:
            return False
        if any(left < each[2] and each[0] < right and top < each[3] and each[1] < bottom for each in self.taken):
            return False
        self.taken.append(box)
        return True


def intervals(words: Words, rows: Sequence[Interval]) -> str:
    """Draw a row for each value: its name, its interval, and the number."""
    start = 14 + LETTER * max(len(row.name) for row in rows)
    room = _Room(WIDTH, 26 * len(rows) + 44)
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    axis = _Axis(low, high, start, WIDTH - 50)
    parts = [_x_axis(axis, room, words.x, 4)]
    for place, row in enumerate(rows):
        y = 18 + 26 * place
        whisker = f'<path stroke-dasharray="none" d="M{axis(row.low):.1f} {y - 4}v8m0-4H{axis(row.high):.1f}m0-4v8"/>'
        parts += [
            _text(0, y + 4, row.name),
            _series(row.number, whisker + _mark(row.number, axis(row.value), y, _said(row))),
            _text(WIDTH, y + 4, f"{row.value:.3f}", "end"),
        ]
    return _svg(words, room, parts)


def _said(row: Interval) -> str:
    return f"{row.name}: {row.value:.4f}, from {row.low:.4f} to {row.high:.4f}"


def lines(words: Words, series: Sequence[Series], *, said: Callable[[Series, Point], str]) -> str:
    """Draw series over an x axis by factors; `said` gives the text of a point that a mouse shows."""
    legend = -(-len(series) // 3) * 20
    room = _Room(WIDTH, 262 + legend)
    points = [point for each in series for point in each.points]
    xs, ys = [point.x for point in points], [point.y for point in points]
    x = _Factors(min(xs), max(xs), 50, WIDTH - 16)
    y = _Axis(min(ys), max(ys), 210, 34)
    parts = [_y_axis(y, room, words.y), _x_axis(x, room, words.x, 24, 218)]
    for each in series:
        for point in each.points:
            room.take(_around(x(point.x), y(point.y)))
    texts = []
    for each in series:
        path = "L".join(f"{x(point.x):.1f} {y(point.y):.1f}" for point in each.points)
        marks = "".join(_mark(each.number, x(point.x), y(point.y), said(each, point)) for point in each.points)
        parts.append(_series(each.number, f'<path d="M{path}"/>{marks}'))
        texts += [_beside(room, each.number, x(point.x), y(point.y), point.text) for point in each.points if point.text]
    return _svg(words, room, [*parts, *texts, *_legend(series, 256)])


def key(number: int) -> str:
    """Return the mark of a series alone, for a table."""
    mark = _series(number, f'<path d="M0 6H24"/>{_mark(number, 12, 6)}')
    return f'<svg class="key" viewBox="0 0 24 12" aria-hidden="true">{mark}</svg>'


class _Axis:
    """Places values evenly between two pixels, with numbers at ticks."""

    least = 0.01  # beside the values, so that few digits tell the ticks apart

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        margin = max((high - low) * 0.06, self.least)
        self.low = max(low - margin, 0) if low >= 0 else low - margin
        self.high, self.start, self.end = high + margin, start, end

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        rough = (self.high - self.low) / 5
        unit = 10 ** math.floor(math.log10(rough))
        step = next((unit * each for each in EVENLY if unit * each >= rough), 10 * unit)
        first = math.ceil(self.low / step)
        return [place * step for place in range(first, math.floor(self.high / step) + 1)]


class _Factors(_Axis):
    """Places values so that equal distances are equal factors."""

    least = 0.1

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        super().__init__(math.log(low), math.log(high), start, end)

    def __call__(self, value: float) -> float:
        return super().__call__(math.log(value))

    def ticks(self) -> list[float]:
        decades = range(math.floor(self.low / math.log(10)), math.ceil(self.high / math.log(10)) + 1)
        found: list[float] = []
        for factors in BY_FACTORS:
            values = sorted({factor * 10.0**decade for decade in decades for factor in factors})
            found = [value for value in values if self.low <= math.log(value) <= self.high]
            if len(found) >= 4:
                break
        return found


def _x_axis(axis: _Axis, room: _Room, name: str, top: float, bottom: float | None = None) -> str:
    bottom = room.height - 34 if bottom is None else bottom
    parts = []
    for value in axis.ticks():
        text, x = f"{value:g}" if value < 10000 else f"{value:,.0f}", axis(value)
        text = f"{value:.10g}" if len(text) > 8 else text
        width = LETTER * len(text)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>')
        if room.take((x - width / 2 - 3, bottom + 2, x + width / 2 + 3, bottom + 2 + LINE)):
            parts.append(_text(x, bottom + 13, text, "middle"))
    return "".join(parts) + _text(axis.end, bottom + 30, name, "end", "axis")


def _y_axis(axis: _Axis, room: _Room, name: str) -> str:
    parts = [_text(0, 12, name, "start", "axis")]
    for value in axis.ticks():
        y = axis(value)
        parts.append(f'<path class="grid" d="M44 {y:.1f}H{WIDTH}"/>')
        if room.take((0, y - LINE / 2, 40, y + LINE / 2)):
            parts.append(_text(40, y + 4, f"{value:.6g}", "end"))
    return "".join(parts)


def _around(x: float, y: float) -> Box:
    return x - MARK - 1, y - MARK - 1, x + MARK + 1, y + MARK + 1


def _beside(room: _Room, number: int, x: float, y: float, text: str) -> str:
    """Return a text in the first free place around a point of a series, or nothing."""
    width, gap = LETTER * len(text), MARK + 3
    places = {
        "middle": [(x, y - gap), (x, y + gap + 10)],
        "start": [(x + gap, y + 4), (x + gap, y - gap)],
        "end": [(x - gap, y + 4), (x - gap, y - gap)],
    }
    for anchor, spots in places.items():
        for left, base in spots:
            begin = left - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            if base < 216 and begin > 44 and room.take((begin - 3, base - 10, begin + width + 3, base + 2)):
                return _text(left, base, text, anchor, f"beside c{number % COLOURS}")
    return ""


def _legend(series: Sequence[Series], top: float) -> Iterable[str]:
    for place, each in enumerate(series):
        x, y = place % 3 * 133, top + 8 + place // 3 * 20
        yield _series(each.number, f'<path d="M{x} {y}h24"/>{_mark(each.number, x + 12, y)}')
        yield _text(x + 30, y + 4, each.name)


def _series(number: int, inside: str) -> str:
    dash, hollow = DASHES[number % len(DASHES)], " hollow" if number // COLOURS % 2 else ""
    return f'<g class="c{number % COLOURS}{hollow}" stroke-dasharray="{dash}">{inside}</g>'


def _mark(number: int, x: float, y: float, said: str = "") -> str:
    shape = SHAPES[number % len(SHAPES)]
    title = f"<title>{escape(said)}</title>" if said else ""
    return (
        f'<path class="mark" stroke-dasharray="none" transform="translate({x:.1f} {y:.1f})" d="{shape}">{title}</path>'
    )


SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",  # a circle
    "M-3.6-3.6h7.2v7.2h-7.2z",  # a square
    "M0-4.8L4.8 3.8H-4.8z",  # a triangle
    "M0-5.2L5.2 0L0 5.2L-5.2 0z",  # a diamond
    "M0 4.8L4.8-3.8H-4.8z",  # a triangle that points down
    "M-1.6-4.8h3.2v3.2h3.2v3.2h-3.2v3.2h-3.2v-3.2h-3.2v-3.2h3.2z",  # a cross
)


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text{chosen} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(words: Words, room: _Room, parts: Iterable[str]) -> str:
    number = next(_numbers)
    return (
        f'<svg class="plot" viewBox="0 0 {room.width:g} {room.height:g}" role="img"'
        f' aria-labelledby="title{number} text{number}">'
        f'<title id="title{number}">{escape(words.title)}</title><desc id="text{number}">{escape(words.text)}</desc>'
        f"{''.join(parts)}</svg>"
    )
