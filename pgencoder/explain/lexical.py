"""Finds the words that a query and a passage share, and the part of BM25 that each adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import psycopg

from pgencoder.db.connection import Connection
from pgencoder.db.values import key_texts
from pgencoder.explain.matches import LexicalMatch, Span
from pgencoder.explain.token_pairs import Question, is_passage
from pgencoder.search.ranking import LEXICAL
from pgencoder.statements import own, query, raw

# As the server splits texts: words, codes and paths that hold several (pgencoder._terms), and all between spaces
# Possessive, because the time for a long word would grow with the square of its length.
WORD = r"(?<![^\W_])[^\W_]++"
PATTERNS = (r"[^\W_]+", rf"{WORD}(?:[._/\\:@#+-]++[^\W_]++)++|{WORD}[+#]++", r"\S+")

# The query of one of the terms of `asked`
ONE_TERM = "(SELECT ARRAY[term.unit] AS units, ARRAY[term.impact] AS impacts, asked.mean_length AS mean_length)"

Terms = Mapping[str, frozenset[int]]


def read_lexical(
    connection: Connection, asked: Question, key: Any, number: int, content: str
) -> tuple[LexicalMatch, ...] | None:
    """Return the words that the query and passage `number` of the row `key`, `content`, share; None if none are stored.

    They are in the order of the query. The server says what is the same word, by the configuration of the collection.
    """
    collection = asked.collection
    if LEXICAL.name not in collection.generation.stored:
        return None
    generation, lexical = collection.generation, own(f"{collection.name}_{LEXICAL.name}")
    by_term = query("explain_lexical").format(
        passages=own(generation.passages),
        lexical=lexical,
        score=raw(LEXICAL.score(ONE_TERM)),
        is_passage=is_passage(collection, 2),
    )
    of_words = query("terms_of_words").format(lexical=lexical)
    cursor = psycopg.RawCursor(connection)  # because a name may contain %
    parameters = [asked.query, *key_texts(connection, collection.key, key), number]
    rows = cursor.execute(by_term.as_bytes(connection), parameters).fetchall()
    scores = {term: score for term, score in rows if score}
    words = {word.group() for text in (asked.query, content) for word in _words(text)} if scores else ()
    rows = cursor.execute(of_words.as_bytes(connection), [list(words)]).fetchall()
    return matches(asked.query, content, scores, {word: frozenset(terms) for word, terms in rows})


def matches(asked: str, content: str, scores: Mapping[int, float], terms: Terms) -> tuple[LexicalMatch, ...]:
    """Return a match for each term that has a score, from the terms of each word of both texts."""
    of_query, of_passage = _narrowest(asked, scores, terms), _narrowest(content, scores, terms)
    found = [
        LexicalMatch(
            asked[slice(*of_query[term][0])],
            of_query[term][0],
            score,
            tuple(of_passage.get(term, ())),
            tuple(dict.fromkeys(content[slice(*span)] for span in of_passage.get(term, ()))),
        )
        for term, score in scores.items()
        if term in of_query
    ]
    return tuple(sorted(found, key=lambda match: (match.span[0], -match.span[1], -match.score)))


def _narrowest(text: str, wanted: Iterable[int], terms: Terms) -> dict[int, list[Span]]:
    """Return the spans of each wanted term in a text; a word is taken before the code or path that it is part of."""
    found: dict[int, dict[Span, None]] = {}
    for pattern in PATTERNS:
        here: dict[int, dict[Span, None]] = {}
        for word in re.finditer(pattern, text):
            for term in terms.get(word.group(), frozenset()).intersection(wanted):
                here.setdefault(term, {})[word.span()] = None
        for term, spans in here.items():
            known = found.setdefault(term, {})
            known.update(
                (span, None) for span in spans if not any(span[0] <= at and end <= span[1] for at, end in known)
            )
    return {term: sorted(spans) for term, spans in found.items()}


def _words(text: str) -> Iterator[re.Match[str]]:
    return (word for pattern in PATTERNS for word in re.finditer(pattern, text))
