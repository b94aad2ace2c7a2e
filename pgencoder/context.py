"""Makes of hits a text for a prompt: what each passage adds, numbered, within a number of tokens.

Hits are taken best first, and each is added if the whole text, numbers and separators included, stays within the
budget. Passages of one row that overlap or follow each other become one, with the row's own text between them. A
passage that another contains whole, in that row or another, is left out. One that is nearly the same is not: the word
that differs may be the answer. One that does not fit is cut after the last sentence that does, and ends the context;
where not even its first sentence fits, the next one is tried.
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

# A row by its number among those of the hits, and the characters between two passages
Gap = tuple[int, int, int]

BYTES_PER_TOKEN = 3

SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’）]*")
ITEM = re.compile(r"\s*(?:[-*+•·#>|]|\d+[.)]|```)")
# Chinese and Japanese have no spaces
WORD_END = re.compile(r"(?<=\S)(?=\s)|(?<=[\u3040-\u30ff\u3400-\u9fff])")


@dataclass(frozen=True)
class Budget:
    """How many tokens a context may have, how to count them, and in which order it is written."""

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
        """How many tokens a text has. Raises InvalidRequest where `count` returns something else."""
        counted: Any = self.count(text)
        if not isinstance(counted, Integral) or counted < 0:
            shown = repr(counted) if isinstance(counted, int | float) else type(counted).__name__
            raise InvalidRequest(
                f"count_tokens must return the number of tokens, an integer of at least 0, got {shown}; of a tokenizer"
                " it is the length of what it makes: lambda text: len(tokenizer.encode(text))"
            )
        return int(counted)


def token_counter(encoder: object) -> CountTokens:
    """How to count tokens where the user does not say.

    By the encoder's own tokenizer, special tokens aside. What that does not know, such as an emoji or a long word, is
    one token to it or none, but many to a language model: it counts as a token for every three bytes of UTF-8, and so
    does everything for an encoder without a tokenizer. That is more than the tokenizers of language models make of
    prose (some four to five bytes a token).
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
    """The characters between passages that follow each other without touching, and the key of their row.

    A passage ends before the white space that it was split at.
    """
    found = {}
    for row, of_row in enumerate(_rows(hits)):
        for one, other in pairwise(sorted(of_row, key=lambda hit: hit.passage)):
            if one.passage + 1 == other.passage and one.span[1] < other.span[0]:
                found[row, one.span[1], other.span[0]] = one.key
    return found


def assemble(hits: Sequence[Hit], between: Mapping[Gap, str | None], budget: Budget) -> Context:
    """The context of hits, best first; `between` has the text of their `gaps`."""
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
        # without case and kinds of white space; a space at both ends, so that only whole words are found in it
        return f" {' '.join(self.text.casefold().split())} "


@dataclass(frozen=True)
class _Attempt:
    """What is chosen already, and whether something more fits."""

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
        """The longest beginning of a piece that fits and adds something: whole sentences.

        Whole words, where it is the best one and not even its first sentence fits.
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
    """Find where a paragraph from `start` ends, and its lines that end for another reason than their width.

    An editor goes to a new line where the next word would not have fit. The first line of a text may have lost its
    beginning.
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
    """Return what hits of the same row have in common: a key need not be hashable, nor equal to itself (NaN)."""
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
    """Best first, or by row, that of the best first, and as they stand in it."""
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
