"""Builds a text for a prompt from hits: numbered passages, within a number of tokens.

The hits are taken best first. A passage is added if the whole text, with numbers and separators, stays within the
budget. Passages of one row that overlap or follow each other become one passage, with the row's text between them.

A passage is left out if another passage contains all of its text, in the same row or another. A passage that is nearly
the same stays: the word that differs may be the answer. A passage that does not fit is cut after the last sentence that
fits, and ends the context. If its first sentence does not fit either, the next passage is tried.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise, zip_longest
from numbers import Integral
from typing import Any, get_args

from pgencoder.encoders import UNKNOWN, windows_of
from pgencoder.errors import InvalidRequest
from pgencoder.results import Citation, Context, Hit
from pgencoder.types import Order

CountTokens = Callable[[str], int]

# The number of a row among the rows of the hits, and the first and last character between two of its passages
Gap = tuple[int, int, int]

BYTES_PER_TOKEN = 3

SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’）]*")
ITEM = re.compile(r"\s*(?:[-*+•·#>|]|\d+[.)]|```)")
# Chinese and Japanese have no spaces
WORD_END = re.compile(r"(?<=\S)(?=\s)|(?<=[\u3040-\u30ff\u3400-\u9fff])")


@dataclass(frozen=True)
class Budget:
    """The limit of a context: its most tokens, the function that counts them, and the order of the passages."""

    max_tokens: int
    count: CountTokens
    order: Order = "score"

    def __post_init__(self) -> None:
        if isinstance(self.max_tokens, bool) or not isinstance(self.max_tokens, int) or self.max_tokens < 0:
            raise InvalidRequest(f"max_tokens must be an integer of at least 0, got {self.max_tokens!r}")
        if not callable(self.count):
            raise InvalidRequest(
                f"count_tokens must be a function from a text to its number of tokens, got {type(self.count).__name__}"
            )
        if self.order not in get_args(Order):
            raise InvalidRequest(f"order must be one of {', '.join(get_args(Order))}, got {self.order!r}")

    def tokens(self, text: str) -> int:
        """Return the number of tokens in a text; raises InvalidRequest if `count` returns something else."""
        counted: Any = self.count(text)
        if not isinstance(counted, Integral) or counted < 0:
            shown = repr(counted) if isinstance(counted, int | float) else type(counted).__name__
            raise InvalidRequest(
                f"count_tokens must return the number of tokens, an integer of at least 0, got {shown}; with a"
                " tokenizer write: lambda text: len(tokenizer.encode(text))"
            )
        return int(counted)


def token_counter(encoder: object) -> CountTokens:
    """Return a function that counts the tokens of a text, for users who give none.

    It counts with the encoder's tokenizer, without special tokens. That tokenizer turns an emoji or a long word into
    one unknown token or none, but a language model needs many. Such text counts as one token for every three bytes of
    UTF-8. If the encoder has no tokenizer, all text counts that way. Language models need fewer tokens for prose: they
    take four to five bytes a token.
    """
    windows = windows_of(encoder)
    if not windows:
        return _by_bytes
    tokenizer = windows[0].tokenizer
    unknown = {tokenizer.token_to_id(name) for name in UNKNOWN}

    def count(text: str) -> int:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        known = [span for token, span in zip(encoded.ids, encoded.offsets, strict=True) if token not in unknown]
        rest, end = [], 0
        for start, stop in known:
            if start > end:
                rest.append(text[end:start])
            end = max(end, stop)
        return len(known) + sum(_by_bytes(word) for word in " ".join([*rest, text[end:]]).split())

    return count


def _by_bytes(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def gaps(hits: Sequence[Hit]) -> dict[Gap, Any]:
    """Return the gaps between neighbouring passages of a row, each with the row's key.

    A gap exists because a passage ends before the white space at which the row was split.
    """
    found = {}
    for row, of_row in enumerate(_rows(hits)):
        for one, other in pairwise(sorted(of_row, key=lambda hit: hit.passage)):
            if one.passage + 1 == other.passage and one.span[1] < other.span[0]:
                found[row, one.span[1], other.span[0]] = one.key
    return found


def assemble(hits: Sequence[Hit], between: Mapping[Gap, str | None], budget: Budget) -> Context:
    """Return the context for hits, given best first; `between` has the text of each of their `gaps`."""
    row_of = {_row(of_row[0]): number for number, of_row in enumerate(_rows(hits))}
    white = {gap: text for gap, text in between.items() if text is not None and text.isspace()}
    chosen: list[_Piece] = []
    for hit in hits:
        piece = _Piece(row_of[_row(hit)], hit.key, *hit.span, hit.content, hit.score)
        if any(piece in each for each in chosen):
            continue
        attempt = _Attempt(chosen, white, budget)
        if attempt.fits(piece):
            chosen = attempt.merged(piece)
        elif (shorter := attempt.cut(piece, best=hit is hits[0])) is not None:
            chosen = attempt.merged(shorter)
            break
    return _written(chosen, budget)


@dataclass(frozen=True)
class _Piece:
    """Characters [start, end) of a row's content, and the best score of the passages in it."""

    row: int
    key: Any
    start: int
    end: int
    text: str
    score: float

    def __contains__(self, other: _Piece) -> bool:
        covered = self.row == other.row and self.start <= other.start and other.end <= self.end
        return covered or other._plain in self._plain

    @cached_property
    def _plain(self) -> str:
        # case and kinds of white space do not count; the space at both ends lets only whole words match
        return f" {' '.join(self.text.casefold().split())} "


@dataclass(frozen=True)
class _Attempt:
    """The pieces chosen so far; tells which further piece fits into the budget."""

    chosen: Sequence[_Piece]
    white: Mapping[Gap, str]
    budget: Budget

    def merged(self, piece: _Piece) -> list[_Piece]:
        merged = _merge([*self.chosen, piece], self.white)
        grown = next(each for each in merged if each.row == piece.row and each.start <= piece.start < each.end)
        return [each for each in merged if each is grown or each not in grown]

    def fits(self, piece: _Piece) -> bool:
        text = _text(_ordered(self.merged(piece), self.budget.order))
        return self.budget.tokens(text) <= self.budget.max_tokens

    def cut(self, piece: _Piece, best: bool) -> _Piece | None:
        """Return the longest start of a piece that fits, in whole sentences, or None if it adds nothing.

        If `piece` is the `best` one and its first sentence does not fit, return whole words.
        """
        for ends in (_sentence_ends, _word_ends) if best else (_sentence_ends,):
            places = ends(piece.text)
            if places and self.fits(_beginning(piece, places[0])):
                after = bisect_left(places, True, key=lambda place: not self.fits(_beginning(piece, place)))
                shorter = _beginning(piece, places[after - 1])
                return None if any(shorter in each for each in self.chosen) else shorter
        return None


def _sentence_ends(text: str) -> list[int]:
    ends = {match.end() for match in SENTENCE_END.finditer(text)}
    start = 0
    for blank, group in groupby(text.split("\n"), key=lambda line: not line.strip()):
        lines = list(group)
        if not blank:
            ends.update(_line_ends(lines, start))
        start += sum(len(line) + 1 for line in lines)
    return sorted(ends - {len(text)})


def _line_ends(paragraph: Sequence[str], start: int) -> list[int]:
    """Return the ends of a paragraph that begins at `start`, and of its lines that are shorter than its width allows.

    A line that has no room for the next word is only wrapped, so the sentence goes on. The first line of a text may
    have lost its beginning, so its length says nothing.
    """
    width = max(map(len, paragraph))
    ends = []
    for line, following in zip_longest(paragraph, paragraph[1:]):
        length = len(line.rstrip())
        fits = following is not None and length + 1 + len(following.split(maxsplit=1)[0]) <= width
        if following is None or (fits and start > 0) or ITEM.match(following):
            ends.append(start + length)
        start += len(line) + 1
    return ends


def _word_ends(text: str) -> list[int]:
    return [match.end() for match in WORD_END.finditer(text) if match.end()]


def _beginning(piece: _Piece, length: int) -> _Piece:
    return replace(piece, end=piece.start + length, text=piece.text[:length])


def _row(hit: Hit) -> str:
    """Return a text that hits of the same row share: a key may be unhashable, or not equal to itself (NaN)."""
    return repr(hit.key)


def _rows(hits: Sequence[Hit]) -> list[list[Hit]]:
    rows: dict[str, list[Hit]] = {}
    for hit in hits:
        rows.setdefault(_row(hit), []).append(hit)
    return list(rows.values())


def _merge(pieces: Sequence[_Piece], white: Mapping[Gap, str]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in sorted(pieces, key=lambda each: (each.row, each.start, each.end)):
        last = merged[-1] if merged else None
        if last is None or last.row != piece.row:
            merged.append(piece)
            continue
        gap = white.get((piece.row, last.end, piece.start), "")
        if last.end + len(gap) < piece.start:
            merged.append(piece)
            continue
        end = max(last.end, piece.end)
        text = last.text + gap + piece.text[last.end + len(gap) - piece.start :] if end > last.end else last.text
        merged[-1] = replace(last, end=end, text=text, score=max(last.score, piece.score))
    return merged


def _ordered(pieces: Sequence[_Piece], order: Order) -> list[_Piece]:
    """Sort pieces by score, or by row: the row with the best piece first, its pieces in their order in the row."""
    if order == "score":
        return sorted(pieces, key=lambda piece: (-piece.score, piece.row, piece.start))
    best = {row: max(piece.score for piece in pieces if piece.row == row) for row in {piece.row for piece in pieces}}
    return sorted(pieces, key=lambda piece: (-best[piece.row], piece.row, piece.start))


def _text(pieces: Sequence[_Piece]) -> str:
    return "\n\n".join(f"[{number}] {piece.text.strip()}" for number, piece in enumerate(pieces, 1))


def _written(pieces: Sequence[_Piece], budget: Budget) -> Context:
    ordered = _ordered(pieces, budget.order)
    text = _text(ordered)
    citations = tuple(
        Citation(number, piece.key, (piece.start, piece.end), piece.text, piece.score)
        for number, piece in enumerate(ordered, 1)
    )
    return Context(text, citations, budget.tokens(text) if text else 0)
