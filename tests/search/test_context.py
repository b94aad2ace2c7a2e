"""Contexts for prompts: the rows' own text, each part once, never over budget."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pgencoder import Context, Database, DenseEncoder, Hit
from pgencoder.context import Budget, CountTokens, assemble, gaps, token_counter
from pgencoder.errors import FingerprintMismatch, InvalidRequest
from pgencoder.types import Order
from tests.connections import Connection
from tests.encoder import WordEncoder

ORDERS: list[Order] = ["score", "document"]
COUNTERS: list[CountTokens] = [
    len,
    lambda text: len(text.split()),
    token_counter(object()),
    lambda text: 2 + len(text.split()),  # with special tokens
    lambda text: 3 * len(text.splitlines()),  # most text adds nothing
]


@dataclass(frozen=True)
class Corpus:
    texts: list[str]
    hits: list[Hit]

    def between(self) -> dict[Any, str | None]:
        return {gap: self.texts[key][gap[1] : gap[2]] for gap, key in gaps(self.hits).items()}


words = st.sampled_from(["red", "green.", "Blue", "purple!", "e.g.", "日本語。", "x" * 30, "naïve", "a\tb", "(see)."])
separators = st.sampled_from([" ", "\n", "\n\n", "  "])


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Rows split at white space, some passages with overlap, some without, some not found."""
    texts, hits = [], []
    for row in range(draw(st.integers(1, 4))):
        text, ends = "", [0]
        for word in draw(st.lists(words, min_size=1, max_size=25)):
            text += (draw(separators) if text else "") + word
            ends.append(len(text))
        texts.append(text)
        cuts = sorted(draw(st.sets(st.sampled_from(ends[1:-1]), max_size=5))) if len(ends) > 2 else []
        for passage, (start, end) in enumerate(pairwise([0, *cuts, len(text)])):
            back = draw(st.integers(0, 4))
            earlier = [place for place in ends if place < start]
            begin = earlier[-back] if back and len(earlier) >= back else start
            begin += len(text[begin:end]) - len(text[begin:end].lstrip())
            if draw(st.booleans()):
                score = draw(st.floats(0, 10))
                hits.append(Hit(row, score, passage, (begin, end), text[begin:end], 1, 0.5))
    return Corpus(texts, sorted(hits, key=lambda hit: -hit.score))


def plain(text: str) -> str:
    return f" {' '.join(text.casefold().split())} "


@settings(max_examples=400, deadline=None)
@given(corpus=corpora(), budget=st.integers(0, 150), counter=st.integers(0, 4), order=st.sampled_from(ORDERS))
def test_never_over_budget_and_always_the_rows_text(corpus: Corpus, budget: int, counter: int, order: Order) -> None:
    count = COUNTERS[counter]
    context = assemble(corpus.hits, corpus.between(), Budget(budget, count, order))
    assert context.tokens == (count(context.text) if context.text else 0) <= budget
    assert [cited.number for cited in context.citations] == list(range(1, len(context.citations) + 1))
    assert context.text == "\n\n".join(f"[{cited.number}] {cited.content.strip()}" for cited in context.citations)
    for cited in context.citations:
        assert cited.content.strip()
        assert cited.content == corpus.texts[cited.key][slice(*cited.span)]
        others = [other for other in context.citations if other is not cited]
        assert not any(plain(cited.content) in plain(other.content) for other in others)
        assert not any(
            cited.key == other.key and cited.span[0] < other.span[1] and other.span[0] < cited.span[1]
            for other in others
        )
    if order == "score":
        scores = [cited.score for cited in context.citations]
        assert scores == sorted(scores, reverse=True)


@settings(max_examples=200, deadline=None)
@given(corpus=corpora(), order=st.sampled_from(ORDERS))
def test_with_room_for_all_every_hit_is_there_once(corpus: Corpus, order: Order) -> None:
    context = assemble(corpus.hits, corpus.between(), Budget(10**9, len, order))
    assert all(any(plain(hit.content) in plain(cited.content) for cited in context.citations) for hit in corpus.hits)


def hit(key: Any, score: float, content: str, passage: int = 0, start: int = 0) -> Hit:
    return Hit(key, score, passage, (start, start + len(content)), content, 1, 0.5)


def made(hits: list[Hit], max_tokens: int, order: Order = "score", between: Any = None) -> list[tuple[Any, Any, str]]:
    context = assemble(hits, between or {}, Budget(max_tokens, lambda text: len(text.split()), order))
    return [(cited.key, cited.span, cited.content) for cited in context.citations]


def test_a_passage_that_does_not_fit_ends_with_a_sentence() -> None:
    long = hit(1, 9, 'One is short. "Two is too!" Three has, e.g. four, five, six words. Four')
    assert [content for *_, content in made([long], 7)] == ['One is short. "Two is too!"']
    assert [content for *_, content in made([long], 6)] == ["One is short."]
    # not even one sentence, and nothing else: better half a sentence than nothing
    assert [content for *_, content in made([long], 3)] == ["One is"]
    assert made([long], 1) == made([long], 0) == []
    other, last = hit(2, 8, "Something else entirely that is long"), hit(3, 7, "Last one.")
    # the second has no sentence that fits, the third fits
    assert [key for key, *_ in made([hit(1, 9, "One is short."), other, last], 8)] == [1, 3]
    # what was cut is the last
    cut = hit(2, 8, "Two. And this does not fit at all any more")
    assert made([hit(1, 9, "One is short."), cut, last], 8) == [(1, (0, 13), "One is short."), (2, (0, 4), "Two.")]


def test_a_text_without_spaces_can_be_cut() -> None:
    context = assemble([hit(1, 9, "日本語の文章は空白なしで書かれる")], {}, Budget(8, len))
    assert context.text == "[1] 日本語の"


def test_duplicates_go_whichever_is_better() -> None:
    part, whole = hit(1, 9, "The  same\nTEXT."), hit(2, 8, "Before. The same text. After.")
    assert [key for key, *_ in made([part, whole], 100)] == [2]
    assert [key for key, *_ in made([hit(2, 9, whole.content), hit(1, 8, part.content)], 100)] == [2]
    assert [key for key, *_ in made([hit(1, 9, "same"), hit(2, 8, "same")], 100)] == [1]
    # without room for the whole the part stays
    assert [key for key, *_ in made([part, whole], 4)] == [1]
    # one word differs, and a part of a word is no word
    assert len(made([hit(1, 9, "paid 500"), hit(2, 8, "paid 50"), hit(3, 7, "paid 501")], 100)) == 3


def test_the_order_of_the_prompt() -> None:
    hits = [
        hit(1, 9, "Late in one.", 5, 500),
        hit(2, 8, "Early in two.", 0, 0),
        hit(1, 7, "Early in one.", 0, 0),
        hit(2, 6, "Late in two.", 7, 700),
    ]
    assert [content for *_, content in made(hits, 100)] == [each.content for each in hits]
    assert [content for *_, content in made(hits, 100, "document")] == [
        "Early in one.", "Late in one.", "Early in two.", "Late in two."]  # fmt: skip


def test_neighbours_merge_with_the_white_space_between_them_only() -> None:
    first, second, third = hit(1, 5, "One.", 0, 0), hit(1, 9, "Two.", 1, 6), hit(1, 3, "Four.", 3, 20)
    hits = [second, first, third]
    assert gaps(hits) == {(0, 4, 6): 1}
    assert made(hits, 100, between={(0, 4, 6): "\n\n"}) == [(1, (0, 10), "One.\n\nTwo."), (1, (20, 25), "Four.")]
    # the row changed meanwhile, or went
    for read in ("xy", None):
        assert len(made(hits, 100, between={(0, 4, 6): read})) == 3


def test_what_cannot_be_asked() -> None:
    for bad in (-1, 2.5, True, "100"):
        with pytest.raises(InvalidRequest, match="max_tokens must be an integer of at least 0"):
            Budget(bad, len)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="count_tokens must be a function"):
        Budget(1, 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="order must be one of score, document, got 'best'"):
        Budget(1, len, "best")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("returned", "got"),
    [([1, 2], "got list;"), (None, "got NoneType;"), (math.nan, "got nan;"), (2.5, "got 2.5;"), (-1, "got -1;")],
)
def test_what_a_counter_returns_is_checked(returned: Any, got: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^count_tokens must return the number of tokens.* {got}") as raised:
        assemble([hit(1, 9, "One.")], {}, Budget(10, lambda _: returned))
    assert "\n" not in str(raised.value)
    assert assemble([hit(1, 9, "One.")], {}, Budget(10, lambda _: np.int64(3))).tokens == 3  # type: ignore[arg-type,return-value]


def test_what_a_tokenizer_does_not_know_is_not_cheap(minilm: Any) -> None:
    count = token_counter(minilm)
    prose = "A replica follows the primary with some lag, said José; it isn't much."
    assert count(prose) == len(minilm.windows[0].tokenizer.encode(prose, add_special_tokens=False).ids)
    emoji, thai, accents = "\N{GRINNING FACE}", "ภาษาไทยไม่มีช่องว่าง", "x" + "\u0300" * 300
    for text in ("QUJD" * 2000, emoji * 500, " ".join([emoji] * 500), thai * 50, accents, "\u200b" * 300):
        assert count(text) >= (len(text.encode()) - text.count(" ")) / 3
        assert count(f"{prose} {text} {prose}") == count(text) + 2 * count(prose)
    assert [count(text) for text in ("", " \n" * 99, "[UNK]", f"a {emoji}b")] == [0, 0, 2, 3]


def test_the_estimate_counts_bytes() -> None:
    count = token_counter(WordEncoder())
    assert [count(text) for text in ("", "a", "abc", "abcd", "日本")] == [0, 1, 1, 2, 2]


SENTENCES = [
    f"The {adjective} replica of cluster number {i} lags behind its primary, and somebody runs a {noun} on Postgres."
    for i, (adjective, noun) in enumerate(product(["slow", "remote", "very much overloaded"], ["dump", "long report"]))
]


def cut_at(text: str, budget: int) -> str:
    context = assemble([Hit(1, 1.0, 0, (0, len(text)), text, 1, 0.5)], {}, Budget(budget, len))
    return context.text.removeprefix("[1] ")


@pytest.mark.parametrize("width", [30, 48, 72, 80])
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_line_that_is_wrapped_is_no_sentence(width: int, indent: str) -> None:
    paragraphs = [
        textwrap.fill(" ".join(SENTENCES), width, initial_indent=indent, subsequent_indent=indent) for _ in range(2)
    ]
    text = "\n\n".join(paragraphs).lstrip()
    for start in (0, text.index("Postgres.") + 10, text.index("lags") + 5):
        for budget in range(260, 900, 37):
            assert cut_at(text[start:], budget).endswith("Postgres.")


def test_lines_that_end_by_themselves_are_ends() -> None:
    items = "Things to do:\n- call the plumber\n- water the plants in the kitchen\n- buy bread"
    assert cut_at(items, 40) == "Things to do:\n- call the plumber"
    numbered = "Steps\n1. stop the server\n2. copy the files of it\n3. start it"
    assert cut_at(numbered, 30) == "Steps\n1. stop the server"
    heading = "A first paragraph without a stop\n\nAnd a second one that is too long for it"
    assert cut_at(heading, 50) == "A first paragraph without a stop"
    verse = "Shall I compare thee\nto a day\nThou art more lovely and more temperate indeed\nRough winds"
    assert cut_at(verse, 40) == "Shall I compare thee\nto a day"
    japanese = "レプリカは遅れている。\nもう一つの文がここにあり\nまだ続く。"
    assert cut_at(japanese, 28) == "レプリカは遅れている。"


STORY = "\n\n".join(
    f"Chapter {i} is about {topic}. " + " ".join(f"Fact {j} of {topic} is written here in full." for j in range(40))
    for i, topic in enumerate(["replication", "vacuum", "indexes", "locking"])
)


@pytest.fixture
def library(connection: Connection, db: Database, minilm: Any) -> Database:
    """Long rows on the real model; two rows are the same, and keys have two columns of types of their own."""
    connection.execute("CREATE TYPE shelf AS ENUM ('upper', 'lower')")
    connection.execute("CREATE TABLE books (shelf shelf, id bigint, title text, body text, PRIMARY KEY (shelf, id))")
    connection.cursor().executemany(
        "INSERT INTO books VALUES (%s, %s, %s, %s)",
        [
            ("upper", 1, "Postgres", STORY),
            ("lower", 2**40, "Postgres", STORY),
            ("lower", 3, "Cooking", "An omelette takes eggs."),
        ],
    )
    db.attach("books", ["title", "body"], minilm)
    db.sync("books")
    return db


def content_of(key: tuple[str, int]) -> str:
    return "Cooking An omelette takes eggs." if key[1] == 3 else f"Postgres {STORY}"


def check(context: Context, max_tokens: int, count: CountTokens) -> None:
    assert context.tokens == (count(context.text) if context.text else 0) <= max_tokens
    for cited in context.citations:
        assert cited.content == content_of(cited.key)[slice(*cited.span)]
        assert f"[{cited.number}] {cited.content.strip()}" in context.text
    assert str(context) == context.text


def test_from_the_database(library: Database, minilm: Any) -> None:
    tokenizer = minilm.windows[0].tokenizer

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    for max_tokens in (0, 1, 3, 5, 40, 200, 600, 2000):
        for order in ORDERS:
            found = library.context("books", "facts of vacuum", max_tokens, order=order)
            check(found, max_tokens, count)
            assert bool(found.citations) == (max_tokens > 3)
    everything = library.context("books", "facts of vacuum", 100_000, k=100)
    # the row that is there twice is cited once, its passages merged into the whole row
    assert sorted(cited.span for cited in everything.citations) == [(0, 31), (0, len(f"Postgres {STORY}"))]
    words = library.context("books", "facts of vacuum", 50, count_tokens=lambda text: len(text.split()))
    check(words, 50, lambda text: len(text.split()))
    assert words.tokens > 30


def test_a_gap_between_passages_is_the_rows_own(library: Database, connection: Connection) -> None:
    # paragraphs as long as a passage: where they meet, nothing overlaps
    spans = connection.execute("SELECT span FROM pgencoder.books_1 WHERE id = 1 ORDER BY passage").fetchall()
    apart = [(one.upper, other.lower) for (one,), (other,) in pairwise(spans) if one.upper < other.lower]
    assert apart
    context = library.context("books", "facts of vacuum", 100_000, k=100)
    merged = max((cited.content for cited in context.citations), key=len)
    assert all(merged[start:end] == content_of(("upper", 1))[start:end] for start, end in apart)
    assert "full.\n\nChapter" in merged


def test_the_search_is_as_asked(library: Database, minilm: Any) -> None:
    table = library.table("books")
    context = library.context("books", "facts of vacuum", filter=table.c.title == "Cooking")
    assert [cited.key for cited in context.citations] == [("lower", 3)]
    assert context.text == "[1] Cooking An omelette takes eggs."
    assert library.context("books", "facts", filter=sa.false()) == Context("", (), 0)
    assert len(library.context("books", "facts of vacuum", 10_000, k=1).citations) == 1
    with pytest.raises(FingerprintMismatch):
        library.context("books", "facts", encoder=WordEncoder())
    with pytest.raises(InvalidRequest, match="max_tokens"):
        library.context("books", "facts", -1)


def test_a_long_unknown_word_is_over_budget(library: Database, connection: Connection) -> None:
    connection.execute("INSERT INTO books VALUES ('lower', 4, 'Report', %s)", ["QUJD" * 25_000])
    library.sync("books")
    context = library.context("books", "report", 100)
    assert context.citations
    assert len(context.text.encode()) < 1000


async def test_a_context_in_an_event_loop_and_without_token_vectors(connection: Connection, db: Database) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO notes VALUES (1, 'a note'), (2, 'another note')")

    def embed(texts: list[str]) -> list[list[float]]:
        return [[1.0, float("other" in text)] for text in texts]

    db.attach("notes", ["body"], DenseEncoder(embed, name="others"))
    db.sync("notes")
    context = await db.acontext("notes", "another note", 6)
    assert (context.text, context.tokens) == ("[1] another note", 6)  # three bytes a token
    assert await db.acontext("notes", "another note", 2) == Context("", (), 0)
