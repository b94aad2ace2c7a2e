"""The data of an explanation: which words of a query matched which words of a passage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgencoder.plain import short_repr

Span = tuple[int, int]


@short_repr
@dataclass(frozen=True)
class Match:
    """The document token that is most similar to a query token; both are numbered from 1, as `maxsim_pairs()` does.

    `word` is the word of the passage that the document token belongs to. `span` has that word's characters [start, end)
    in the passage, and `row_span` those in the content of the whole row. For a token that stands for no characters,
    such as [SEP], `word` is its name and there are no spans. There are none either if the encoder does not say what its
    tokens stand for. With pooling the document token stands for several tokens: `word` is of the one that is the most
    similar to the query token, and `pooled` are the words of the others.
    """

    query_token: int
    document_token: int
    similarity: float
    word: str
    span: Span | None
    row_span: Span | None
    pooled: tuple[str, ...] = ()


@short_repr
@dataclass(frozen=True)
class WordMatch:
    """A word of the query, its characters [start, end) in it, and the matches of its word pieces.

    `score` is the sum of their similarities: the word's part of the passage's score.
    """

    word: str
    span: Span | None
    score: float
    matches: tuple[Match, ...] = field(repr=False)

    @property
    def best(self) -> Match:
        """The most similar of the matches."""
        return max(self.matches, key=lambda match: match.similarity)


@short_repr
@dataclass(frozen=True)
class LexicalMatch:
    """A word of the query that the passage has too, in the same or another form: "run" and "running".

    `span` has its characters [start, end) in the query. `score` is its part of the passage's BM25. `spans` has the
    places in the passage, and `words` the spellings there; both are empty if only the rest of a cut row has the word.
    """

    word: str
    span: Span
    score: float
    spans: tuple[Span, ...] = field(repr=False)
    words: tuple[str, ...]


@short_repr
@dataclass(frozen=True)
class PassageMatch:
    """The words of a query and what they matched in one passage.

    `score` is MaxSim: the sum of the scores of `words` and `special`. `special` has the tokens of the query that stand
    for none of its characters, such as the [MASK] tokens that ColBERT adds; None if there are none. `span` has the
    characters [start, end) of `content` in the content of the row. `lexical` are the words that the query and the
    passage share, in the order of the query; None if the collection stores no words.
    """

    query: str
    key: Any
    passage: int
    content: str
    span: Span
    score: float
    words: tuple[WordMatch, ...]
    special: WordMatch | None
    lexical: tuple[LexicalMatch, ...] | None = None
