"""Finds what to mark in the passage of an explanation, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

from pgencoder.explain.matches import LexicalMatch, PassageMatch, Span, WordMatch


@dataclass(frozen=True)
class Mark:
    """A word of the passage that words of the query matched.

    `matched` has the similarities by the numbers of the query's words, from 1; without tokens the parts of BM25.
    `strength` is the highest of them, divided by the highest of the passage: from 0 to 1.
    """

    text: str
    matched: dict[int, float]
    strength: float


def segments(explanation: PassageMatch, around: int) -> Iterator[str | Mark]:
    """Cut the passage into texts and marks; of a text only the `around` characters beside each mark stay."""
    content, end = explanation.content, 0
    for (start, stop), mark in _marks(explanation):
        if start > end:
            yield _shortened(content[end:start], around, first=end == 0)
        yield mark
        end = stop
    if end < len(content):
        yield _shortened(content[end:], around, first=end == 0, last=True)


@dataclass(frozen=True)
class Found:
    """A word of the passage that `times` tokens of a word of the query matched, with the mean of the similarities."""

    word: str
    span: Span | None
    similarity: float
    times: int

    def __str__(self) -> str:
        return f"{self.similarity:.2f}" + (f" ×{self.times}" if self.times > 1 else "")


def found(word: WordMatch) -> list[Found]:
    """Return the words that a word of the query matched, the one that adds most first."""
    groups: dict[tuple[str, Span | None], list[float]] = {}
    for match in word.matches:
        groups.setdefault((match.word, match.row_span), []).append(match.similarity)
    spans = {(match.word, match.row_span): match.span for match in word.matches}
    return [
        Found(which[0], spans[which], fmean(similarities), len(similarities))
        for which, similarities in sorted(groups.items(), key=lambda group: -sum(group[1]))
    ]


def strongest(words: Iterable[WordMatch | LexicalMatch]) -> float:
    """Return the highest score of a word; never 0, because scores are divided by it."""
    return max((word.score for word in words), default=0.0) or 1.0


def _marks(explanation: PassageMatch) -> list[tuple[Span, Mark]]:
    marked: dict[Span, dict[int, float]] = {}
    for number, word in enumerate(explanation.words, 1):
        for match in word.matches:
            if match.span is not None:
                by = marked.setdefault(match.span, {})
                by[number] = max(match.similarity, by.get(number, match.similarity))
    if not explanation.words:  # without tokens
        for number, same in enumerate(explanation.lexical or (), 1):
            for span in same.spans:
                marked.setdefault(span, {})[number] = same.score
    highest = max((similarity for by in marked.values() for similarity in by.values()), default=0.0)
    marks: list[tuple[Span, Mark]] = []
    for span in sorted(marked, key=lambda span: (span[0], -span[1])):
        if marks and span[0] < marks[-1][0][1]:
            # parts of a code that is marked; the pieces of a user's encoder may overlap too
            matched = marks[-1][1].matched
            matched.update((number, value) for number, value in marked[span].items() if number not in matched)
            continue
        similarity = max(marked[span].values())
        strength = max(0.0, similarity) / highest if highest > 0 else 0.0
        marks.append((span, Mark(explanation.content[slice(*span)], marked[span], strength)))
    return marks


def _shortened(text: str, around: int, *, first: bool = False, last: bool = False) -> str:
    """Keep the ends of a text that are beside marks; the first text has no mark before it, the last none after it."""
    head, tail = "" if first and not last else text[:around], "" if last else text[-around:]
    if len(text) <= max(around, len(head) + len(tail)):
        return text
    # whole words where there are spaces
    return head[: head.rfind(" ") + 1 or None] + "…" + tail[max(tail.find(" "), 0) :]
