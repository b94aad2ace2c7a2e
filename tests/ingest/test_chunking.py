"""Passages fit the model whole, cover the content, and know where they stand in it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

import pgencoder
from pgencoder import load_encoder
from pgencoder.ingest import chunking
from pgencoder.ingest.chunking import OVERLAP, STRETCH, splitter
from pgencoder.types import Span
from tests import checkpoints
from tests.encoder import WordEncoder

LONG = " ".join(f"Sentence number {i} says something about Postgres, vectors and rows." for i in range(120))


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two models that cut text into pieces in two ways and read different lengths."""
    home: Path = tmp_path_factory.mktemp("two")
    return load_encoder(str(checkpoints.sbert(home / "s")), str(checkpoints.roberta(home / "r")))


def fits(encoder: Any, text: str) -> bool:
    return all(
        len(window.tokenizer.encode(text, add_special_tokens=False).ids) <= window.capacity
        for window in encoder.windows
    )


def covered(text: str, spans: list[Span]) -> bool:
    inside = {i for span in spans for i in range(span.start, span.end)}
    return all(i in inside or character.isspace() for i, character in enumerate(text))


def test_a_long_text_is_split_with_overlap(minilm: Any) -> None:
    spans = splitter(minilm, "default")([LONG])[0]
    assert len(spans) > 5
    assert covered(LONG, spans)
    assert all(fits(minilm, LONG[span.start : span.end]) for span in spans)
    assert not any(span.truncated for span in spans)
    assert all(after.start < before.end for before, after in pairwise(spans))
    # nothing of a passage is cut by the model itself
    for span, encoding in zip(spans, minilm.encode_documents([LONG[s.start : s.end] for s in spans]), strict=True):
        ids = minilm.windows[0].tokenizer.encode(LONG[span.start : span.end], add_special_tokens=True).ids
        assert len(encoding.tokens) == len(ids) <= 256


alphabet = st.sampled_from(
    ["word", "Wörter", "日本語", "😀👩‍👩‍👧", "e\u0301", ".", "\n", "\t", "x" * 60, "१२३", "\u200b", "a-b_c"]
)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.lists(alphabet, max_size=120).map(" ".join), min_size=1, max_size=3))
def test_whatever_the_text_spans_are_its_characters(minilm: Any, texts: list[str]) -> None:
    for text, spans in zip(texts, splitter(minilm, "default")(texts), strict=True):
        assert bool(spans) == bool(text.strip())
        assert covered(text, spans)
        for span in spans:
            assert 0 <= span.start < span.end <= len(text)
            assert fits(minilm, text[span.start : span.end])


def test_two_models_both_read_every_passage(two: Any) -> None:
    assert len({window.capacity for window in two.windows}) == 2
    spans = splitter(two, "default")([LONG[:1500]])[0]
    assert covered(LONG[:1500], spans)
    assert all(fits(two, LONG[span.start : span.end]) for span in spans)
    end = splitter(two, "truncate")([LONG])[0][0].end
    assert fits(two, LONG[:end])


def test_empty_contents_have_no_passage(minilm: Any) -> None:
    for how in ("default", "truncate"):
        assert splitter(minilm, how)(["", "  \n", "a", " "]) == [[], [], [Span(0, 1)], []]
        assert splitter(minilm, how)([""]) == [[]]


def test_truncate_makes_one_passage_and_says_what_it_cut(minilm: Any) -> None:
    split = splitter(minilm, "truncate")
    at_limit, over = "row " * 253 + "row", "row " * 254 + "row"
    assert split([at_limit]) == [[Span(0, len(at_limit), truncated=False)]]
    assert split([over]) == [[Span(0, len(at_limit), truncated=True)]]
    assert len(minilm.encode_documents([over])[0].tokens) == 256


def test_an_encoder_without_windows_reads_everything(words: WordEncoder) -> None:
    assert splitter(words, "default")([LONG]) == [[Span(0, len(LONG))]]
    assert isinstance(words, pgencoder.Encoder)


WITHOUT_SPACES = {
    "japanese": "日本語の文章は空白なしで続きます",
    "japanese sentences": "日本語の文章は続きます。本当ですか？はい！",
    "thai": "ภาษาไทยไม่มีช่องว่างระหว่างคำ",
    "thai with spaces": "ภาษาไทย ไม่มีช่องว่าง ระหว่างคำ ",
    "one word": "x",
    "emoji": "😀👩‍👩‍👧",
    "accents": "e\u0301",
    "lines": "one line of text\n",
    "mixed": "word 日本語。 ",
}


@pytest.mark.parametrize("unit", WITHOUT_SPACES.values(), ids=WITHOUT_SPACES.keys())
def test_the_work_grows_with_the_length(minilm: Any, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """The splitter looks at all that is left for each chunk: what it is given at once stays short."""
    given: list[int] = []
    make = chunking._text_splitter

    def counting(windows: Any) -> Any:
        def chunk_all_indices(texts: list[str]) -> Any:
            given.extend(map(len, texts))
            return splits.chunk_all_indices(texts)

        splits = make(windows)
        return SimpleNamespace(chunk_all_indices=chunk_all_indices)

    monkeypatch.setattr(chunking, "_text_splitter", counting)
    length = 100_000
    spans = splitter(minilm, "default")([(unit * (length // len(unit) + 1))[:length]])[0]
    assert sum(given) < 4 * length
    longest = max(span.end - span.start for span in spans)
    assert max(given) <= max(STRETCH * minilm.windows[0].capacity, 4 * longest)


@pytest.mark.parametrize("unit", WITHOUT_SPACES.values(), ids=WITHOUT_SPACES.keys())
def test_long_texts_are_covered_and_overlap(minilm: Any, unit: str) -> None:
    text = (unit * (40_000 // len(unit) + 1))[:40_000]
    spans = splitter(minilm, "default")([text, "short", text[:9000]])
    assert spans[1] == [Span(0, 5)]
    for each, whole in ((spans[0], text), (spans[2], text[:9000])):
        assert covered(whole, each)
        assert all(fits(minilm, whole[span.start : span.end]) for span in each)
        assert all(before.start < after.start <= before.end < after.end for before, after in pairwise(each))
    if len(spans[0]) > 1 and unit.strip(" 。？！\n") == unit:
        assert all(after.start < before.end for before, after in pairwise(spans[0]))


@pytest.mark.parametrize("name", ["japanese sentences", "mixed", "lines"])
def test_passages_of_long_texts_end_with_sentences(minilm: Any, name: str) -> None:
    text = WITHOUT_SPACES[name] * 3000
    for span in splitter(minilm, "default")([text])[0]:
        assert text[span.start : span.end].strip()[-1] in "。？！t"


def test_a_long_text_is_split_as_if_at_once(minilm: Any) -> None:
    text = " ".join(f"Sentence number {i} says something about Postgres, vectors and rows." for i in range(800))
    at_once = TextSplitter.from_huggingface_tokenizer(minilm.windows[0].tokenizer, 254, overlap=OVERLAP)
    assert splitter(minilm, "default")([text])[0] == [
        Span(start, start + len(chunk)) for start, chunk in at_once.chunk_indices(text)
    ]
