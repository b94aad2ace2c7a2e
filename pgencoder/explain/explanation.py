"""Explains why a passage matched, word by word, and shows it in a terminal and in a notebook."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pgencoder.encoders import Encoder, Explaining, Kind, Piece
from pgencoder.explain.html import html
from pgencoder.explain.matches import LexicalMatch, Match, PassageMatch, Span, WordMatch
from pgencoder.explain.token_pairs import Question, TokenPairs
from pgencoder.explain.words import words
from pgencoder.plain import short_repr
from pgencoder.representations.pooling import clusters
from pgencoder.types import Matrix

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


@short_repr
@dataclass(frozen=True)
class Explanation(PassageMatch):
    """The reasons why a passage matched a query, word by word.

    `score` is MaxSim: the sum of the scores of `words` and `special`; without tokens that of `lexical`. `special` has
    the tokens of the query that stand for none of its characters, such as the [MASK] tokens that ColBERT adds; None if
    there are none. `span` has the characters [start, end) of `content` in the content of the row. `lexical` are the
    words that the query and the passage share, in the order of the query; None if the collection stores no words. In a
    terminal `rich.print(explanation)` shows it, in a notebook its value.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON values; a key of a type that JSON lacks becomes text."""
        return asdict(self) | {"key": _plain(self.key)}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the passage with its matches marked and numbered, and a table of the query's words."""
        from pgencoder.explain.terminal import rendered  # rich, which the console has loaded by now

        yield from rendered(self, coloured=bool(console.color_system) and not console.no_color)

    def _repr_html_(self) -> str:
        """Render the same for notebooks: HTML that stands alone, every text escaped."""
        return html(self)


def in_words(
    asked: Question, key: Any, number: int, passage: TokenPairs, lexical: tuple[LexicalMatch, ...] | None = None
) -> Explanation:
    """Put the pairs of tokens of passage `number` of the row `key` into words; `lexical` are the same words."""
    of_query = words(asked.query, _pieces(asked.encoder, asked.query, "query"), len(asked.encoding.tokens))
    of_passage = _Tokens(asked, passage)
    has_tokens = asked.collection.generation.dims.tokens > 0
    matches = [
        (of_query[query_token - 1], of_passage.match(query_token, token, similarity))
        for query_token, token, similarity in passage.pairs
    ]
    special = [match for word, match in matches if word.special]
    return Explanation(
        query=asked.query,
        key=key,
        passage=number,
        content=passage.content,
        span=(passage.start, passage.start + len(passage.content)),
        score=math.fsum(
            [match.similarity for _, match in matches] if has_tokens else [match.score for match in lexical or ()]
        ),
        words=tuple(
            _of(word.text, word.span, [match for _, match in group])
            for word, group in groupby(matches, key=lambda each: each[0])
            if not word.special
        ),
        special=_of(_names(word.text for word, _ in matches if word.special), None, special) if special else None,
        lexical=lexical,
    )


def _pieces(encoder: Encoder, text: str, kind: Kind) -> Sequence[Piece] | None:
    return encoder.pieces(text, kind) if isinstance(encoder, Explaining) else None


class _Tokens:
    """The words of a passage's stored tokens; pooled ones are those of the clusters, which are computed again."""

    def __init__(self, asked: Question, passage: TokenPairs) -> None:
        self._passage = passage
        self._query = asked.encoding.tokens
        self._members = [[row] for row in range(passage.tokens)]
        self._vectors: Matrix | None = None
        pieces, count = _pieces(asked.encoder, passage.text, "document"), passage.tokens
        pooling = asked.collection.generation.pooling
        if pooling > 1 and pieces is not None:
            vectors = asked.encoder.encode_documents([passage.text])[0].tokens
            members = clusters(vectors, pooling)
            if len(members) == passage.tokens:
                self._members, self._vectors, count = members, vectors, len(vectors)
        self._words = words(passage.text, pieces, count)

    def match(self, query_token: int, token: int, similarity: float) -> Match:
        members = self._members[token - 1]
        if self._vectors is not None:
            by_similarity = self._vectors[members] @ self._query[query_token - 1]
            members = [members[place] for place in (-by_similarity).argsort(kind="stable").tolist()]
        word, *others = dict.fromkeys(self._words[member] for member in members)
        span = row_span = None
        if word.span is not None:
            start, end = word.span
            row_span = self._passage.start + start, self._passage.start + end
            # of two models that read a cut row, this one may have read on after the passage's end
            span = word.span if end <= len(self._passage.content) else None
        return Match(query_token, token, similarity, word.text, span, row_span, tuple(other.text for other in others))


def _of(word: str, span: Span | None, matches: Sequence[Match]) -> WordMatch:
    return WordMatch(word, span, math.fsum(match.similarity for match in matches), tuple(matches))


def _names(special: Iterable[str]) -> str:
    return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in Counter(special).items())


def _plain(key: Any) -> Any:
    if isinstance(key, tuple):
        return [_plain(part) for part in key]
    return key if isinstance(key, bool | int | float | str) else str(key)
