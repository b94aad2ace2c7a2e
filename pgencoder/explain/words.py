"""Merges word pieces into words, by their characters alone, so the result does not depend on the tokenizer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pgencoder.encoders import Piece

# Scripts that put no spaces between words: each piece stands alone (Thai to Burmese, Khmer, kana, Han)
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)

JOINERS = ("\u200c", "\u200d")  # invisible characters within a word, which say whether its characters are drawn as one


@dataclass(frozen=True)
class Word:
    """A word of a text and its characters [start, end); a special token has none."""

    text: str
    span: tuple[int, int] | None
    special: bool = False


def words(text: str, pieces: Sequence[Piece] | None, count: int) -> list[Word]:
    """Return the word of each of `count` tokens; tokens of one word share it. Without fitting `pieces`, number them."""
    if pieces is None or len(pieces) != count:
        return [Word(f"token {number}", None) for number in range(1, count + 1)]
    owners: list[int] = []
    extents: dict[int, tuple[int, int] | None] = {}
    for number, piece in enumerate(pieces):
        word = extents[owners[-1]] if owners else None
        span = piece.span and (piece.span[0], _with_marks(text, *piece.span))
        if word is not None and span is not None and _goes_on(text, word, span):
            owners.append(owners[-1])
            extents[owners[-1]] = word[0], max(word[1], span[1])
        else:
            owners.append(number)
            extents[number] = span
    return [_word(text, piece, extents[owner]) for piece, owner in zip(pieces, owners, strict=True)]


def _word(text: str, piece: Piece, span: tuple[int, int] | None) -> Word:
    # in some vocabularies white space has a token, but there is nothing to show
    if span is None or span[0] == span[1]:
        return Word(piece.name, None, special=True)
    return Word(text[slice(*span)], span)


def _with_marks(text: str, start: int, end: int) -> int:
    """Return the end of the marks on the characters, such as accents, which some tokenizers leave out."""
    if start < end:
        while end < len(text) and (unicodedata.category(text[end])[0] == "M" or text[end] in JOINERS):
            end += 1
    return end


def _goes_on(text: str, word: tuple[int, int], piece: tuple[int, int]) -> bool:
    """Return True if a piece belongs to the word before it."""
    if piece[0] < word[0]:
        return False
    # bytes of one character, or a token for the white space before a word
    if piece[0] < word[1] or (word[0] == word[1] == piece[0]):
        return True
    # characters between them may have no token, such as the apostrophe that ColBERT skips
    return all(_within(text, place) for place in range(word[1], piece[0] + 1))


def _within(text: str, place: int) -> bool:
    """Return True if a word goes on from the character before a place to the one at it."""
    before, after = text[place - 1 : place], text[place : place + 1]
    if _joins(text, place) or _joins(text, place - 1):
        return True
    if before in JOINERS:
        return True
    # a combining mark belongs to the character before it
    return unicodedata.category(after or " ")[0] == "M" or (_is_letter(before) and _is_letter(after))


def _joins(text: str, place: int) -> bool:
    """Return True if the character at a place is inside a word though it is no letter: don't, 1,000, 2.5."""
    before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
    if text[place : place + 1] in ("'", "’"):
        return _is_letter(before) and _is_letter(after)
    return text[place : place + 1] in (".", ",") and before.isdigit() and after.isdigit()


def _is_letter(character: str) -> bool:
    if not character or UNSPACED.match(character):
        return False
    return unicodedata.category(character)[0] in "LMN"
