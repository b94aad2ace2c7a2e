"""A cross-encoder as the last stage of a search."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import CrossEncoder

from pgencoder import Database, Hit, errors, load_reranker
from pgencoder.results import Part
from pgencoder.search.rerank import Reranking
from tests import checkpoints
from tests.commands import Run, ok
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]
BODIES = ["red green blue", "red green", "red", "green blue", "blue white", "white"]


class Shortest:
    """Prefers short passages, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[tuple[str, tuple[str, ...]]] = []

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        self.read.append((query, tuple(passages)))
        return [-float(len(passage)) for passage in passages]


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(BODIES, 1)))
    db.attach("notes", ["body"], words, lexical="simple")
    db.sync("notes")
    return db


@pytest.fixture
def cross_encoder(checkpoint: Callable[[str], str]) -> Path:
    return Path(checkpoint("cross"))


def test_it_orders_the_best_hits(notes: Database, words: WordEncoder) -> None:
    before = notes.search("notes", "red green", 4, encoder=words)
    reranker = Shortest()
    found = notes.search("notes", "red green", 2, rerank=reranker, rerank_top=4, encoder=words)
    assert reranker.read == [("red green", tuple(hit.content for hit in before))]
    assert [hit.content for hit in found] == sorted((hit.content for hit in before), key=len)[:2]
    first = found[0]
    same = next(hit for hit in before if hit.key == first.key)
    assert first.score == -len(first.content)
    assert first.relevance == pytest.approx(1 / (1 + math.exp(len(first.content))))
    assert first.parts == {**same.parts, "cross-encoder": Part(first.score, 1)}
    assert (first.recall_rank, first.dense_score) == (same.recall_rank, same.dense_score)
    assert first.explain().words  # it still knows its search


def test_it_reads_no_fewer_than_are_wanted(notes: Database, words: WordEncoder) -> None:
    reranker = Shortest()
    assert len(notes.search("notes", "red", 5, rerank=reranker, rerank_top=2, encoder=words)) == 5
    assert len(reranker.read[0][1]) == 5


def test_relevance_is_that_of_the_reranker(notes: Database, words: WordEncoder) -> None:
    class Even:
        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            return [1.0 if query in passage else -1.0 for passage in passages]

    found = notes.search("notes", "white", 10, rerank=Even(), min_relevance=0.5, encoder=words)
    assert sorted(hit.content for hit in found) == ["blue white", "white"]
    assert notes.search("notes", "nothing", 10, rerank=Even(), min_relevance=0.5, encoder=words) == []


def test_contexts_and_documents_take_it(notes: Database, words: WordEncoder) -> None:
    made = notes.context("notes", "red green", 100, k=2, rerank=Shortest(), encoder=words)
    assert [citation.content for citation in made.citations] == ["red", "white"]
    found = notes.search("notes", "blue", 1, group="document", rerank=Shortest(), encoder=words)
    assert [hit.content for hit in found] == ["red"]


@given(st.lists(st.floats(-1000, 1000), max_size=30), st.integers(1, 30))
def test_the_order_is_that_of_the_scores(scores: list[float], k: int) -> None:
    class Given:
        def scores(self, query: str, passages: Sequence[str]) -> list[float]:
            return scores

    hits = [Hit(number, 0.0, 0, (0, 1), "x", None, None) for number in range(len(scores))]
    found = Reranking(Given()).best("x", hits, k)
    expected = sorted(range(len(scores)), key=lambda number: (-scores[number], number))[:k]
    assert [hit.key for hit in found] == expected
    assert all(0 <= (hit.relevance or 0) <= 1 for hit in found)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([1.0], "must return 3 numbers, one for each passage, got 1"),
        ([1.0, math.nan, 2.0], "NaN or infinity"),
        ([1.0, math.inf, 2.0], "NaN or infinity"),
        (["a", "b", "c"], "must return 3 numbers"),
        (None, "must return 3 numbers"),
    ],
)
def test_what_a_reranker_returns_is_checked(notes: Database, words: WordEncoder, returned: Any, message: str) -> None:
    class Wrong:
        def scores(self, query: str, passages: Sequence[str]) -> Any:
            return returned

    with pytest.raises(errors.InvalidEncoding, match=message):
        notes.search("notes", "red", 3, rerank=Wrong(), rerank_top=3, encoder=words)


def test_what_cannot_be_a_reranker(notes: Database, words: WordEncoder, checkpoint: Callable[[str], str]) -> None:
    wrong: Any = 5
    with pytest.raises(errors.InvalidRequest, match=r"an object with scores\(query, passages\), got 5"):
        notes.search("notes", "red", rerank=wrong, encoder=words)
    with pytest.raises(errors.InvalidRequest, match="rerank_top"):
        notes.search("notes", "red", rerank=Shortest(), rerank_top=0, encoder=words)
    with pytest.raises(errors.ModelNotFound, match=r"no such directory.*object whose scores\(query, passages\)"):
        notes.search("notes", "red", rerank="/nowhere/at/all", encoder=words)
    with pytest.raises(errors.UntrainedModel, match="is no cross-encoder"):
        notes.search("notes", "red", rerank=checkpoint("bert"), encoder=words)


def test_the_scores_are_those_of_the_model(cross_encoder: Path) -> None:
    passages = ["a vector of numbers", "rows in pages", "x " * 200, ""]
    found = load_reranker(str(cross_encoder)).scores("postgres rows", passages)
    model = CrossEncoder(str(cross_encoder), device="cpu")
    model.max_length = 48
    expected = model.predict([("postgres rows", each) for each in passages], activation_fn=_same)
    assert found == pytest.approx(expected.tolist(), abs=1e-5)
    assert load_reranker(str(cross_encoder)).scores("x", []) == []


def _same(logits: Any) -> Any:
    return logits


def test_a_head_of_random_weights_must_be_allowed(checkpoint: Callable[[str], str]) -> None:
    reranker = load_reranker(checkpoint("bert"), allow_untrained=True)
    assert not reranker.trained
    assert len(reranker.scores("postgres", ["rows", "pages"])) == 2


def test_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(errors.EncoderError, match="gives 3 numbers for a pair"):
        load_reranker(str(checkpoints.cross_encoder(tmp_path, outputs=3)))


def test_a_pickle_is_not_loaded(cross_encoder: Path, tmp_path: Path) -> None:
    for file in cross_encoder.iterdir():
        (tmp_path / file.name.replace("model.safetensors", "pytorch_model.bin")).write_bytes(file.read_bytes())
    with pytest.raises(errors.ModelNotFound, match="cannot load"):
        load_reranker(str(tmp_path))


def test_the_command_line_has_it(
    connection: Connection, db: Database, command: Run, checkpoint: Callable[[str], str], cross_encoder: Path
) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(BODIES, 1)))
    ok(command("attach", "notes", "--columns", "body", "--model", checkpoint("sbert")))
    ok(command("sync", "notes"))
    options = ("--rerank", str(cross_encoder), "--rerank-top", "3")
    hits = json.loads(ok(command("search", "notes", "red", "-k", "2", *options, "--json")))
    expected = load_reranker(str(cross_encoder))
    assert [hit["score"] for hit in hits] == pytest.approx(
        expected.scores("red", [hit["content"] for hit in hits]), abs=1e-4
    )
    assert "cross-encoder 1." in ok(command("search", "notes", "red", "-k", "2", *options))
    assert "[1]" in ok(command("context", "notes", "red", *options))
