"""Pooled tokens: the clusters, what is stored of them, and that explanations still name words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, linkage

import pgencoder
from pgencoder import Database, Encoding, errors
from pgencoder.representations.pooling import clusters, pool
from pgencoder.vectors import normalize
from tests.commands import Run, ok
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]

SHAPES = st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(0, 2**32 - 1))


def vectors(count: int, seed: int, dims: int = 8) -> Any:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


@given(SHAPES)
@settings(deadline=None)
def test_each_vector_is_in_one_cluster(shape: tuple[int, int, int]) -> None:
    count, factor, seed = shape
    found = clusters(vectors(count, seed), factor)
    assert len(found) == -(-count // factor)
    assert sorted(row for rows in found for row in rows) == list(range(count))
    assert [rows[0] for rows in found] == sorted(rows[0] for rows in found)


@given(SHAPES)
@settings(deadline=None)
def test_pooled_vectors_are_means_of_length_1(shape: tuple[int, int, int]) -> None:
    count, factor, seed = shape
    tokens = vectors(count, seed)
    pooled = pool(tokens, factor)
    assert pooled.shape == (-(-count // factor), 8)
    assert np.linalg.norm(pooled, axis=1) == pytest.approx(np.ones(len(pooled)), abs=1e-5)
    expected = [normalize(normalize(tokens)[rows].mean(axis=0)) for rows in clusters(tokens, factor)]
    assert pooled == pytest.approx(np.array(expected).reshape(pooled.shape), abs=1e-5)
    # the lengths do not matter, and neither does the order
    assert pool(tokens * 3, factor) == pytest.approx(pooled, abs=1e-5)
    shuffled = pool(tokens[::-1], factor)
    assert sorted(map(tuple, shuffled.round(3).tolist())) == sorted(map(tuple, pooled.round(3).tolist()))


@given(st.integers(2, 30), st.integers(2, 4), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_the_clusters_are_those_of_ward(count: int, factor: int, seed: int) -> None:
    tokens = vectors(count, seed)
    labels = cut_tree(linkage(normalize(tokens), "ward"), -(-count // factor))[:, 0]
    expected = sorted(np.flatnonzero(labels == label).tolist() for label in set(labels.tolist()))
    assert clusters(tokens, factor) == expected


def test_equal_tokens_are_clusters_all_the_same() -> None:
    for tokens in (np.ones((9, 4), np.float32), np.zeros((9, 4), np.float32)):
        assert len(clusters(tokens, 2)) == 5
        assert np.isfinite(pool(tokens, 2)).all()


def test_none_is_as_before() -> None:
    tokens = vectors(7, 1)
    assert pool(tokens, 1) == pytest.approx(normalize(tokens))


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute(
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "INSERT INTO notes VALUES (1, 'red green blue white black'), (2, 'red'), (3, ''), (4, 'red red red red')"
    )
    return connection


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_fewer_are_stored(notes: Connection, db: Database, words: WordEncoder, tokens: Any) -> None:
    db.attach("notes", ["body"], words, tokens=tokens, pooling=2)
    db.sync("notes")
    assert db.collection("notes").generation.pooling == 2
    rows = notes.execute("SELECT id, cardinality(tokens) FROM pgencoder.notes_1 ORDER BY id").fetchall()
    assert rows == [(1, 3), (2, 1), (4, 2)]
    stored = notes.execute("SELECT tokens::text FROM pgencoder.notes_1 WHERE id = 1").fetchone()
    expected = pool(words.encode_documents(["red green blue white black"])[0].tokens, 2)
    assert stored is not None
    if tokens == "bit":
        bits = stored[0].strip("{}").split(",")
        assert bits == ["".join("01"[int(value)] for value in row > 0) for row in expected]
    else:
        assert len(expected) == 3
    assert db.search("notes", "red", 1)[0].key in (2, 4)


def test_it_is_an_option_of_a_collection(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words)
    db.sync("notes")
    with pytest.raises(errors.CollectionExists, match="differs in pooling"):
        db.attach("notes", ["body"], words, pooling=2, exist_ok=True)
    db.reencode("notes", words, pooling=3)
    db.sync("notes")
    assert db.activate("notes").pooling == 3
    db.reencode("notes", WordEncoder(name="second"))  # it stays
    db.sync("notes")
    assert db.activate("notes").pooling == 3
    # a query of the same model is not pooled, and can be compared
    assert db.search("notes", "red", 1, encoder=WordEncoder(name="second"))
    db.reencode("notes", WordEncoder(name="second"), tokens="none")
    wrongs: list[Any] = [0, 5, 1.5, 2.0, True, "2"]
    for wrong in wrongs:
        with pytest.raises(errors.InvalidRequest, match="pooling must be an integer from 1"):
            db.attach("notes", ["body"], words, name="other", pooling=wrong)
    with pytest.raises(errors.InvalidRequest, match="tokens='none' stores none"):
        db.attach("notes", ["body"], words, name="other", pooling=2, tokens="none")


class Broken(WordEncoder):
    """Has no number for one word."""

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        made = super().encode_documents(texts)
        for text, encoding in zip(texts, made, strict=True):
            if "white" in text:
                encoding.tokens[0, 0] = np.nan
        return made


def test_a_passage_with_nan_fails_alone(notes: Connection, db: Database) -> None:
    encoder = Broken()
    db.attach("notes", ["body"], encoder, pooling=2)
    assert db.sync("notes").failed == 1
    (failed,) = db.failed("notes")
    assert failed.key == {"id": 1}
    assert failed.error == "InvalidEncoding: the encoder returned NaN or infinity ('notes')"
    assert {hit.key for hit in db.search("notes", "red", 3)} == {2, 4}


def test_adopted_tokens_are_as_they_are(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words, tokens="halfvec")
    db.sync("notes")
    notes.execute("CREATE TABLE mine AS SELECT id, dense, tokens FROM pgencoder.notes_1")
    db.reencode("notes", words, pooling=2)
    assert db.adopt("notes", "mine", "dense", "tokens") == 3
    db.sync("notes")  # the row without words
    db.activate("notes")
    sizes = notes.execute("SELECT id, cardinality(tokens) FROM pgencoder.notes_2 ORDER BY id").fetchall()
    assert sizes == [(1, 5), (2, 1), (4, 4)]
    explained = db.explain("notes", "green black", 1)
    assert [(each.best.word, each.best.pooled) for each in explained.words] == [("green", ()), ("black", ())]


def test_the_command_line_has_it(
    notes: Connection, db: Database, command: Run, checkpoint: Callable[[str], str]
) -> None:
    ok(command("attach", "notes", "--columns", "body", "--model", checkpoint("sbert"), "--pooling", "2"))
    assert db.collection("notes").generation.pooling == 2
    assert "bit tokens (pooling 2)" in ok(command("status"))
    ok(command("reencode", "notes", "--pooling", "3"))
    assert db.collection("notes").generations[-1].pooling == 3
    assert "pooling must be an integer" in command("reencode", "notes", "--pooling", "5").stderr


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_explanations_name_words(notes: Connection, db: Database, words: WordEncoder, tokens: Any) -> None:
    db.attach("notes", ["body"], words, tokens=tokens, pooling=2)
    db.sync("notes")
    explained = db.explain("notes", "green black", 1)
    assert [each.word for each in explained.words] == ["green", "black"]
    matched = {each.word: each.best for each in explained.words}
    assert {word: match.word for word, match in matched.items()} == {"green": "green", "black": "black"}
    body = "red green blue white black"
    for match in matched.values():
        assert match.span is not None
        assert body[slice(*match.span)] == match.word
    together = clusters(words.encode_documents([body])[0].tokens, 2)
    for match in matched.values():
        members = {body.split()[row] for row in together[match.document_token - 1]}
        assert members == {match.word, *match.pooled}


def test_a_model_pools(notes: Connection, db: Database, minilm: pgencoder.Encoder) -> None:
    db.attach("notes", ["body"], minilm, name="whole", tokens="halfvec")
    db.attach("notes", ["body"], minilm, name="half", tokens="halfvec", pooling=2)
    for name in ("whole", "half"):
        db.sync(name)
    sizes = [
        dict(notes.execute(f"SELECT id, cardinality(tokens) FROM pgencoder.{name}_1".encode()).fetchall())
        for name in ("whole", "half")
    ]
    assert {key: -(-size // 2) for key, size in sizes[0].items()} == sizes[1]
    assert db.explain("half", "a red thing", 1).words
