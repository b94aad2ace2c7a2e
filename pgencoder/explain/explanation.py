"""Why a passage matched: plain data, and how it looks in a terminal and in a notebook."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pgencoder.plain import short_repr

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Span = tuple[int, int]


@short_repr
@dataclass(frozen=True)
class Match:
    """The document token that is most similar to a query token; both are numbered from 1, as `maxsim_pairs()` does.

    `word` is the word of the passage that the document token is of, `span` that word's characters [start, end) in the
    passage and `row_span` in the content of the whole row. A token that stands for no characters, such as [SEP], is
    named by `word` and has no spans; nor has any where the encoder does not say what its tokens stand for.
    """

    query_token: int
    document_token: int
    similarity: float
    word: str
    span: Span | None
    row_span: Span | None


@short_repr
@dataclass(frozen=True)
class WordMatch:
    """A word of the query, its characters [start, end) there, and what each of its word pieces matched.

    `score` is what the word adds to the passage's: the sum of the similarities.
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
class Explanation:
    """Why a passage matched a query, word by word.

    `score` is MaxSim: what `words` and `special` add up to. `special` is of the query's tokens that stand for none of
    its characters, such as the [MASK] tokens that ColBERT adds; None if there are none. `span` is where `content` is
    in the content of the row. In a terminal `rich.print(explanation)` shows it, in a notebook its value.
    """

    query: str
    key: Any
    passage: int
    content: str
    span: Span
    score: float
    words: tuple[WordMatch, ...]
    special: WordMatch | None

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values; a key of a type that JSON lacks is text."""
        return asdict(self) | {"key": _plain(self.key)}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The passage with what matched marked and numbered, and a table of the query's words."""
        from pgencoder.explain.terminal import rendered

        yield from rendered(self, coloured=bool(console.color_system) and not console.no_color)

    def _repr_html_(self) -> str:
        """The same for notebooks: HTML that stands alone, every text escaped."""
        from pgencoder.explain.html import html

        return html(self)


def _plain(key: Any) -> Any:
    if isinstance(key, tuple):
        return [_plain(part) for part in key]
    return key if isinstance(key, bool | int | float | str) else str(key)
