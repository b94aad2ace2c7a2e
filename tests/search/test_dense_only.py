"""Collections with dense vectors only: of any embedding function, or of a model whose token vectors are not stored."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

import pgencoder
from pgencoder import Database, DenseEncoder, Dims, Encoder, encoders, errors
from pgencoder.encoders import load_stored
from pgencoder.types import Matrix, TokenType
from pgencoder.worker import metrics
from tests import checkpoints
from tests.application import DOCS, ENCODING, OWNER, TENANTS, WRITER, App
from tests.commands import Run, Tool, ok
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check

WORDS = WordEncoder()


def embed(texts: Sequence[str]) -> list[list[float]]:
    """An embedding function as applications have it: lists of floats, not normalised."""
    return [(3 * WORDS.encode_query(text).dense).tolist() for text in texts]


def broken(returned: object, **options: Any) -> DenseEncoder:
    return DenseEncoder(lambda _: returned, name="broken", **options)  # type: ignore[arg-type, return-value]


@pytest.fixture
def encoder() -> DenseEncoder:
    return DenseEncoder(embed, name="mean of words")


@pytest.fixture
def docs(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO docs SELECT i, 'number ' || i FROM generate_series(1, 40) AS i")
    return connection


@pytest.fixture
def synced(docs: Connection, db: Database, encoder: DenseEncoder) -> Connection:
    """A collection `docs` of the embedding function, up to date."""
    db.attach("docs", ["body"], encoder)
    assert db.sync("docs").index_built
    return docs


def stored(connection: Connection, table: str = "docs_1") -> tuple[int, int]:
    """How many passages there are, and how many token vectors in all of them."""
    statement = sql.SQL(
        "SELECT count(*), coalesce(sum(jsonb_array_length(to_jsonb(whole) -> 'tokens')), 0) FROM {} AS whole"
    ).format(sql.Identifier("pgencoder", table))
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0], row[1]


def first(db: Database, query: str, **options: Any) -> object:
    return db.search("docs", query, k=1, stage="dense", **options)[0].key


def test_a_function_becomes_an_encoder() -> None:
    asked: list[list[str]] = []

    def documents(texts: list[str]) -> Matrix:
        asked.append(texts)
        return np.ones((len(texts), 3), dtype=np.float16)

    encoder = DenseEncoder(documents, name="ones")
    assert isinstance(encoder, Encoder)
    assert encoder.dims == Dims(dense=3, tokens=0)
    assert repr(encoder) == "DenseEncoder('ones', dims=3)"
    assert encoder.fingerprint == {"encoder": "function", "model": "ones", "dims": {"dense": 3, "tokens": 0}}
    assert json.loads(json.dumps(encoder.fingerprint)) == encoder.fingerprint
    assert len(asked) == 1
    encodings = encoder.encode_documents(("a", "b"))
    assert [each.dense.tolist() for each in encodings] == [[1, 1, 1]] * 2
    assert {(each.tokens.shape, each.tokens.dtype.name) for each in encodings} == {((0, 0), "float32")}
    assert encoder.encode_query("c").dense.tolist() == [1, 1, 1]
    assert encoder.encode_documents([]) == []
    assert asked[1:] == [["a", "b"], ["c"]]
    own = DenseEncoder(documents, lambda text: [len(text), 0, 0], name="ones", dims=3)
    assert len(asked) == 3  # no probe where the dims are given
    assert own.encode_query("four").dense.tolist() == [4, 0, 0]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([[1.0, 2.0]], r"must return vectors of shape \(2, 2\), got shape \(1, 2\)"),
        ([[1.0], [2.0]], r"must return vectors of shape \(2, 2\), got shape \(2, 1\)"),
        ([1.0, 2.0], r"got shape \(2,\)"),
        (np.ones((2, 1, 2)), r"got shape \(2, 1, 2\)"),
        ([], r"got shape \(0,\)"),
        ([[1.0, 2.0], [1.0]], "must return numbers, 2 vectors of the same length, got list: "),
        ([["a", "b"], ["c", "d"]], "must return numbers"),
        ({"data": []}, "must return numbers, 2 vectors of the same length, got dict"),
        ([[1.0, float("nan")], [0.0, 1.0]], "returned NaN or infinity"),
        ([[1.0, 1e300], [0.0, 1.0]], "returned NaN or infinity"),
        (None, "must return"),
    ],
)
def test_what_a_function_returns_is_checked(returned: object, message: str) -> None:
    with pytest.raises(errors.InvalidEncoding, match=message) as raised:
        broken(returned, dims=2).encode_documents(["a", "b"])
    assert str(raised.value).startswith("broken ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("returned", [[1.0], [[1.0, 2.0]], ["a", "b"], [float("inf"), 0.0], None])
def test_what_a_function_returns_for_a_query_is_checked(returned: Any) -> None:
    encoder = DenseEncoder(embed, lambda _: returned, name="broken", dims=2)
    with pytest.raises(errors.InvalidEncoding, match=r"^broken (must return|returned NaN)"):
        encoder.encode_query("a")


def test_an_encoder_needs_a_name_and_dims_that_can_be() -> None:
    with pytest.raises(errors.InvalidRequest, match="needs a name"):
        DenseEncoder(embed, name="")
    for dims, got in ((0, "0"), ("3", "'3'"), (2.0, "2.0"), (True, "True")):
        with pytest.raises(errors.InvalidRequest, match=f"dims must be an integer of at least 1, got {got}"):
            DenseEncoder(embed, name="x", dims=dims)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidEncoding, match=r"shape \(1, dims\), got shape \(1, 0\)"):
        broken([[]])


def test_it_is_searched_and_stays_in_step(synced: Connection, db: Database, encoder: DenseEncoder) -> None:
    assert stored(synced) == (40, 0)
    assert check(synced, db, "docs", encoder) == 40
    query = WORDS.encode_query("number 17").dense
    documents = np.stack([each.dense for each in encoder.encode_documents([f"number {i}" for i in range(1, 41)])]) / 3
    scores = documents @ query / np.linalg.norm(documents, axis=1) / np.linalg.norm(query)
    best = np.argsort(-scores)[:5]
    hits = db.search("docs", "number 17", k=5, stage="dense")
    assert [hit.key for hit in hits] == [i + 1 for i in best]
    assert [hit.score for hit in hits] == pytest.approx(scores[best], abs=2e-3)
    synced.execute(
        "UPDATE docs SET body = 'changed' WHERE id = 1; DELETE FROM docs WHERE id = 2; UPDATE docs SET id = 50"
        " WHERE id = 3; INSERT INTO docs VALUES (51, 'new'), (52, ''); UPDATE docs SET body = body WHERE id = 4"
    )
    db.worker().run_once()
    assert check(synced, db, "docs", encoder) == 40
    assert [first(db, "changed"), first(db, "new"), first(db, "number 3")] == [1, 51, 50]
    synced.execute("TRUNCATE docs")
    db.sync("docs")
    assert check(synced, db, "docs", encoder) == 0


def test_vectors_of_unchanged_passages_are_taken_over(synced: Connection, db: Database) -> None:
    embedded: list[str] = []

    def counted(texts: list[str]) -> list[list[float]]:
        embedded.extend(texts)
        return embed(texts)

    synced.execute("UPDATE docs SET id = id + 100 WHERE id < 4; UPDATE docs SET body = body || ' x' WHERE id = 7")
    synced.execute("UPDATE pgencoder.docs_1 SET row_hash = NULL; INSERT INTO pgencoder.docs_1_queue SELECT 9")
    db.sync("docs", encoder=DenseEncoder(counted, name="mean of words", dims=32))
    assert embedded == ["number 7 x"]
    assert check(synced, db, "docs", DenseEncoder(embed, name="mean of words")) == 40


def test_a_row_whose_vector_cannot_be_stored_does_not_hold_up_the_others(docs: Connection, db: Database) -> None:
    def poisoned(texts: list[str]) -> Matrix:
        vectors = np.array(embed(texts))
        vectors[[text == "number 5" for text in texts]] = np.nan
        return vectors

    db.attach("docs", ["body"], DenseEncoder(poisoned, name="poisoned"))
    report = db.sync("docs")
    assert (report.rows, report.failed) == (39, 1)
    (failed,) = db.failed("docs")
    assert (failed.key, failed.error) == ({"id": 5}, "InvalidEncoding: poisoned returned NaN or infinity")
    assert stored(docs) == (39, 0)


def test_its_state_is_shown_everywhere(
    synced: Connection, db: Database, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (state,) = db.status()
    assert (state.tokens, state.scoring, state.generations[0].tokens) == ("none", "none", "none")
    assert (state.model, state.passages, state.generations[0].coverage) == ("mean of words", 40, 1.0)
    assert state.bytes_per_passage == value(synced, "SELECT pg_table_size('pgencoder.docs_1') / 40")
    described = db.collection("docs").generation
    assert (described.dims, described.token_type) == (Dims(32, 0), "none")
    assert value(synced, "SELECT (name, kind, dims)::text FROM pgencoder.representation") == "(dense,dense,32)"
    assert value(synced, "SELECT (model, passages, coverage)::text FROM pgencoder.status") == '("mean of words",40,1)'
    text = ok(command("status"))
    assert f"none: no token vectors, {state.bytes_per_passage:,} bytes a passage" in text
    assert "mean of words, dense vectors, words (english), default chunking" in text
    assert json.loads(ok(command("status", "--json")))["collections"][0]["tokens"] == "none"
    server = metrics.serve(db.worker(), db.engine, "127.0.0.1", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    server.shutdown()
    server.server_close()
    assert 'pgencoder_passages{collection="docs",generation="1",state="active"} 40.0' in lines


def test_the_encoder_is_known_by_its_name(synced: Connection, url: str, db: Database) -> None:
    with pytest.raises(errors.FingerprintMismatch, match="encoded by mean of words, not by this other"):
        first(db, "number 1", encoder=DenseEncoder(embed, name="other"))
    with pytest.raises(errors.FingerprintMismatch, match="differ in: dims"):
        first(db, "number 1", encoder=DenseEncoder(lambda texts: np.ones((len(texts), 8)), name="mean of words"))
    with pgencoder.connect(url) as second:
        with pytest.raises(errors.EncoderError, match="mean of words is not one that pgencoder can load; pass it as"):
            first(second, "number 1")
        assert first(second, "number 1", encoder=DenseEncoder(embed, name="mean of words")) == 1


def test_the_model_decides_what_can_be_stored(docs: Connection, db: Database, encoder: DenseEncoder) -> None:
    refused: tuple[TokenType, ...] = ("bit", "halfvec")
    for tokens in refused:
        with pytest.raises(errors.InvalidRequest, match=f"mean of words gives no token vectors to store as '{tokens}'"):
            db.attach("docs", ["body"], encoder, tokens=tokens)
    two = WordEncoder()
    two.fingerprint = {**two.fingerprint, "token_model": "ColBERT"}
    with pytest.raises(errors.InvalidRequest, match="does not store what ColBERT makes; say tokens='bit'"):
        db.attach("docs", ["body"], two, tokens="none")
    with pytest.raises(errors.InvalidRequest, match="one of bit, halfvec, none, got 'x'"):
        db.attach("docs", ["body"], encoder, tokens="x")  # type: ignore[arg-type]
    assert db.collections() == []
    cases: list[tuple[str, TokenType | None, TokenType]]
    cases = [("a", None, "bit"), ("b", "none", "none"), ("c", "halfvec", "halfvec")]
    for name, given, expected in cases:
        db.attach("docs", ["body"], WORDS, name=name, tokens=given)
        assert db.collection(name).generation.token_type == expected
    db.sync("b")
    assert check(docs, db, "b", WORDS) == 40
    assert stored(docs, "b_1") == (40, 0)


def test_generations_with_and_without_tokens(docs: Connection, db: Database, encoder: DenseEncoder) -> None:
    db.attach("docs", ["body"], WORDS)
    db.sync("docs")

    def swap(model: Encoder | None, tokens: TokenType | None, expected: TokenType, used: Encoder) -> None:
        assert db.reencode("docs", model, tokens=tokens) == 40
        assert db.sync("docs").rows == 40
        assert db.activate("docs").token_type == expected
        assert check(docs, db, "docs", used) == 40
        assert first(db, "number 17") == 17

    with pytest.raises(errors.InvalidRequest, match="mean of words gives no token vectors to store as 'bit'"):
        db.reencode("docs", encoder, tokens="bit")
    assert len(db.collection("docs").generations) == 1
    swap(encoder, None, "none", encoder)
    # the one with tokens goes on beside it
    docs.execute("UPDATE docs SET body = 'number 99' WHERE id = 1")
    db.sync("docs")
    assert db.rollback("docs").token_type == "bit"
    assert check(docs, db, "docs", WORDS) == 40
    assert db.search("docs", "number 99", k=1)[0].key == 1
    assert db.rollback("docs").token_type == "none"
    assert check(docs, db, "docs", encoder) == 40
    assert first(db, "number 99") == 1
    # tokens stay as they are, also with a model that has them
    swap(WORDS, None, "none", WORDS)
    swap(None, "bit", "bit", WORDS)
    swap(None, "none", "none", WORDS)
    swap(None, "halfvec", "halfvec", WORDS)
    swap(encoder, "none", "none", encoder)
    for generation in db.collection("docs").generations[:-1]:
        db.drop("docs", generation.number)
    docs.execute("UPDATE docs SET body = 'still works' WHERE id = 2")
    db.sync("docs")
    assert check(docs, db, "docs", encoder) == 40
    db.detach("docs")
    assert value(docs, "SELECT count(*) FROM pgencoder.generation") == 0


def test_vectors_that_cannot_be_indexed_are_refused_at_once(synced: Connection, db: Database) -> None:
    def encoder(dims: int) -> DenseEncoder:
        return DenseEncoder(lambda texts: np.ones((len(texts), dims)), name="long", dims=dims)

    message = "^long gives vectors of 4,001 dimensions, but pgvector indexes at most 4,000; give a model with fewer"
    with pytest.raises(errors.InvalidRequest, match=message):
        db.attach("docs", ["body"], encoder(4001), name="long")
    with pytest.raises(errors.InvalidRequest, match=message):
        db.reencode("docs", encoder(4001))
    assert [len(each.generations) for each in db.collections()] == [1]
    db.attach("docs", ["body"], encoder(4000), name="long")
    assert db.sync("long").index_built


def test_that_tokens_are_left_out_is_told(synced: Connection, db: Database, caplog: pytest.LogCaptureFixture) -> None:
    db.reencode("docs", DenseEncoder(embed, name="other"))
    db.drop("docs")
    db.reencode("docs", WORDS, tokens="none")
    db.drop("docs")
    assert caplog.messages == []
    db.reencode("docs", WORDS)
    (message,) = caplog.messages
    assert "generation 2 of 'docs' has no token vectors, as the active one, though words gives" in message
    assert "tokens='bit' (--tokens bit)" in message


def test_vectors_are_adopted(docs: Connection, db: Database, encoder: DenseEncoder) -> None:
    docs.execute("CREATE TABLE mine (id int PRIMARY KEY, v vector(32), t bit(8)[])")
    for i in range(1, 31):
        docs.execute("INSERT INTO mine VALUES (%s, %s, '{}')", [i, str(embed([f"number {i}"])[0])])
    db.attach("docs", ["body"], encoder)
    with pytest.raises(errors.InvalidSource, match="generation 1 of 'docs' stores no tokens; leave column 't' out"):
        db.adopt("docs", "mine", "v", "t")
    assert db.adopt("docs", "mine", "v") == 30
    assert stored(docs) == (30, 0)
    assert db.sync("docs").rows == 10
    assert check(docs, db, "docs", encoder) == 40


def test_what_triggers_did_not_see_is_found(synced: Connection, db: Database, encoder: DenseEncoder) -> None:
    synced.execute("SET session_replication_role = replica")
    synced.execute("INSERT INTO docs VALUES (41, 'missing'); UPDATE docs SET body = 'stale' WHERE id = 1")
    synced.execute("DELETE FROM docs WHERE id = 2; SET session_replication_role = origin")
    report = db.reconcile("docs")
    assert (report.missing, report.stale, report.orphaned) == (1, 1, 1)
    db.sync("docs")
    assert check(synced, db, "docs", encoder) == 40


def test_a_dump_carries_it(
    synced: Connection,
    db: Database,
    url: str,
    bare_url: str,
    server_program: Tool,
    tmp_path: Path,
    encoder: DenseEncoder,
) -> None:
    server_program("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", url)
    server_program("pg_restore", "--exit-on-error", f"--dbname={bare_url}", tmp_path / "dump")
    with pgencoder.connect(bare_url) as restored, psycopg.connect(bare_url, autocommit=True) as connection:
        assert first(restored, "number 9", encoder=encoder) == 9
        connection.execute("UPDATE docs SET body = 'after' WHERE id = 1")
        assert restored.sync("docs").rows == 1
        assert check(connection, restored, "docs", encoder) == 40
        restored.migrate()
        assert first(restored, "after") == 1


def test_roles_have_the_same_rights(app: App, encoder: DenseEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], encoder)
    worker = app.db(ENCODING).worker(encoders=[encoder])
    worker.run_once()
    with app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    worker.run_once()
    assert app.stored() == app.rows()
    found: list[object] = []
    for tenant in TENANTS:
        hits = app.db(tenant).search("docs", "number", k=99, stage="dense", encoder=encoder)
        assert len(hits) == DOCS // 2
        found += [hit.key for hit in hits]
    assert set(found) == set(range(1, DOCS + 1))


def test_the_schema_can_be_removed(synced: Connection, db: Database) -> None:
    before = value(synced, "SELECT count(*) FROM docs")
    db.migrate("base")
    assert value(synced, "SELECT to_regnamespace('pgencoder') IS NULL") is True
    assert value(synced, "SELECT count(*) FROM docs") == before


def test_the_command_line_stores_no_tokens_of_a_model(
    docs: Connection, url: str, command: Run, minilm: Encoder
) -> None:
    docs.execute("TRUNCATE docs; INSERT INTO docs VALUES (1, 'Boil the pasta.'), (2, 'A replica lags behind.')")
    ok(command("attach", "docs", "--columns", "body", "--tokens", "none", "--lexical", "none"))
    with pgencoder.connect(url) as db:
        assert db.sync("docs", encoder=minilm).rows == 2
        assert check(docs, db, "docs", minilm) == 2
        assert stored(docs) == (2, 0)
        # the whole model's fingerprint: who searches in another process can load and check it
        described = db.collection("docs").generation
        assert (described.encoder, described.dims) == (minilm.fingerprint, Dims(384, 0))
        with pytest.raises(errors.FingerprintMismatch):
            first(db, "noodles", encoder=WORDS)
        assert first(db, "noodles", encoder=minilm) == 1
        assert "Boil the pasta." in ok(command("search", "docs", "noodles", "-k", "1"))
        for options in ((), ("--stage", "dense"), ("--json",)):
            refused = command("search", "docs", "noodles", "--explain", *options)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert "'docs' has no tokens and no words" in refused.stderr
        assert 'use stage="dense"' in command("search", "docs", "noodles", "--stage", "maxsim").stderr
        names = [line.split(" ", 2)[1] for line in ok(command("encode", "docs", "noodles")).splitlines()]
        assert names == ["dense", "tokens", "encoder"]
        db.reencode("docs", minilm, tokens="bit")
        db.sync("docs")
        db.activate("docs")
        assert stored(docs, "docs_2")[1] > 0
        ok(command("reencode", "docs", "--tokens", "none"))
        assert [each.token_type for each in db.collection("docs").generations] == ["none", "bit", "none"]


def test_searches_in_several_threads_load_one_model(
    docs: Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(*arguments: Any, **options: Any) -> Encoder:
        loaded.append(load_stored(*arguments, **options))
        return loaded[-1]

    monkeypatch.setattr(encoders, "load_stored", load)
    with pgencoder.connect(url) as db:
        db.attach("docs", ["body"], str(checkpoints.sbert(tmp_path / "model")), tokens="none")
        db.sync("docs")
    with pgencoder.connect(url) as db, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: db.search("docs", "number 7", stage="dense"), range(8)))
    assert len(loaded) == 1
    assert len(found[0]) == 10
    assert all(hits == found[0] for hits in found)
