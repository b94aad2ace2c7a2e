"""Evaluation and benchmarks on data small enough to check by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pgencoder import Database
from pgencoder.bench import backlog, ingest, overhead, rerank, words, write
from pgencoder.bench.alone import Arrays
from pgencoder.errors import InvalidRequest, NativeUnavailable
from pgencoder.evaluation import beir
from pgencoder.evaluation.evaluating import Plan
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.statements import identifier, query
from pgencoder.types import KernelName, TokenType
from pgencoder.vectors import HalfvecArray, normalize, read_array
from tests.encoder import WordEncoder


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_a_ranking_that_is_right_scores_one(db: Database, dataset: Path, tokens: str) -> None:
    report = beir.evaluate(db, beir.read(dataset), beir.Setup(tokens=tokens))  # type: ignore[arg-type]
    plain = report.as_json()
    assert list(plain["stages"]) == ["dense", "lexical", "maxsim", "fused", "rrf", "exhaustive"]
    for name, stage in plain["stages"].items():
        # the words of the queries are not in all documents
        best = 1.0 if name in ("dense", "maxsim", "exhaustive") else pytest.approx(0.6, abs=0.4)
        assert (stage["ndcg@10"], stage["recall@100"]) == (best, best)
        assert 0 < stage["p50_ms"] <= stage["p95_ms"]
    assert (plain["dataset"], plain["documents"], plain["queries"], plain["passages"]) == ("tiny", 4, 3, 4)
    assert plain["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert plain["bytes_per_passage"] > 0
    json.dumps(plain)


def test_a_ranking_that_is_wrong_does_not(db: Database, dataset: Path) -> None:
    (dataset / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td1\t1\n")
    stage = beir.evaluate(db, beir.read(dataset), plan=Plan(["maxsim"])).stages["maxsim"]
    assert 0.3 < stage.ndcg < 0.8
    assert stage.recall == 1.0


def test_the_encoding_is_kept_until_the_documents_change(db: Database, dataset: Path) -> None:
    synced: list[tuple[int, int]] = []

    def on_step(step: str, done: int, total: int) -> None:
        if step == "encoding":
            synced.append((done, total))

    def evaluate() -> int:
        synced.clear()
        beir.evaluate(db, beir.read(dataset), plan=Plan(["dense"]), progress=on_step)
        return synced[-1][0] if synced else 0

    assert evaluate() == 4
    assert evaluate() == 0
    with (dataset / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d5", "title": "More", "text": "words"}) + "\n")
    assert evaluate() == 5


def test_a_folder_that_lacks_a_file(dataset: Path) -> None:
    (dataset / "qrels" / "test.tsv").unlink()
    with pytest.raises(InvalidRequest, match=r"tiny is not a BEIR folder: it has no qrels/test\.tsv"):
        beir.read(dataset)


def test_the_example_computes_the_same(db: Database) -> None:
    with db.connection() as connection:
        connection.execute(query("bench_example").format(vector=identifier(db.vector_schema)))
        row = connection.execute(
            "SELECT pg_temp.example(q, d), pgencoder.maxsim(q, d) FROM (VALUES (array['[0.6,0.8]','[1,0]']::halfvec[],"
            " array['[0,1]','[-1,0]','[0.8,0.6]']::halfvec[])) AS t (q, d)"
        ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(row[1], abs=1e-3)


def test_the_rerank_benchmark(db: Database, dataset: Path, kernel: KernelName) -> None:
    data = beir.read(dataset)
    report = rerank.rerank(db, data, candidates=3, queries=2)
    assert (report.rows, report.documents, report.dims, report.candidates) == ("tiny", 4, 384, 3)
    assert 5 < report.tokens < 15
    names = ["example_halfvec", "sql_halfvec", "sql_bit", "native_halfvec", "native_bit", "native_bit_pooled"]
    assert list(report.forms) == names[: 6 if kernel == "native" else 3]
    assert db.collection(beir.Setup(chunking="truncate", pooling=2).collection_of(data)).generation.pooling == 2
    example = report.forms["example_halfvec"]
    for form in report.forms.values():
        assert form.times_faster == pytest.approx(example.rerank_ms / form.rerank_ms)
        assert form.search_times_faster == pytest.approx(example.search_ms / form.search_ms)
    if kernel == "sql":
        assert report.without_native is not None
        assert (report.simd, report.breakdown, report.exhaustive) == (None, {}, None)
        return
    assert report.without_native is None
    for kind, part in report.breakdown.items():
        total = report.forms[f"native_{kind}"].rerank_ms
        assert part.kernel_ms is not None
        assert part.other_ms is not None
        assert 0 < part.kernel_ms < total
        assert part.kernel_ms + part.rows_ms + part.detoast_ms + part.other_ms == pytest.approx(total)
        assert part.ratio == pytest.approx(total / part.kernel_ms)
    assert report.exhaustive is not None
    assert report.exhaustive.expected_ms == pytest.approx(report.forms["native_bit"].rerank_ms * 4 / 3)
    json.dumps(report.as_json())


def test_a_benchmark_of_nothing_is_refused(db: Database, dataset: Path) -> None:
    for arguments in ({"queries": 0}, {"candidates": 0}):
        with pytest.raises(InvalidRequest, match="must be at least 1, got 0"):
            rerank.rerank(db, beir.read(dataset), **arguments)


@pytest.mark.parametrize("kind", ["halfvec", "bit"])
def test_the_kernel_alone_scores_what_the_server_scores(db: Database, native_kernel: None, kind: TokenType) -> None:
    generator = np.random.default_rng(1)
    query = normalize(generator.standard_normal((5, 65)))
    documents = [normalize(generator.standard_normal((n, 65))) for n in (1, 7, 30)]
    tokens = "pgencoder.binary_quantize(%(d)s)" if kind == "bit" else "%(d)s"
    scores = []
    images = []
    with db.connection() as connection:
        for document in documents:
            row = (
                connection.cursor(binary=True)
                .execute(
                    f"SELECT pgencoder.maxsim(%(q)s, {tokens}), array_send({tokens})",
                    {"q": HalfvecArray(query), "d": HalfvecArray(document)},
                )
                .fetchone()
            )
            assert row is not None
            scores.append(row[0])
            images.append(read_array(row[1], kind))
    assert Arrays(images, kind).scores(query) == pytest.approx(scores, abs=1e-9)
    with pytest.raises(NativeUnavailable, match="quantum"):
        Arrays(images, kind).scores(query, "quantum")


def schemas(db: Database) -> set[str]:
    with db.connection() as connection:
        return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench%'")}


def test_the_ingest_benchmark(db: Database, dataset: Path, words: WordEncoder) -> None:
    report = ingest.ingest(db, beir.read(dataset), ingest.IngestOptions(documents=3, runs=2), words)
    assert (report.documents, report.passages, len(report.runs)) == (3, 3, 2)
    backfill = sum(run.backfill_seconds for run in report.runs)
    assert report.ratio == pytest.approx(backfill / sum(run.model_seconds for run in report.runs))
    for run in report.runs:
        assert 0 < run.encode_seconds < run.backfill_seconds
    assert report.peak_mib > 10
    # the model alone gets the batches that the backfill gave it: to warm up, then twice the same in each run
    assert len(words.encoded) == 4 + 2 * 2 * 3
    assert words.encoded[4:7] == words.encoded[7:10]
    assert db.collections() == []
    json.dumps(report.as_json())


def test_the_write_benchmark(db: Database) -> None:
    report = write.write(db, passages=600, workers=[1, 2])
    assert (report.passages, report.tokens, report.dims) == (600, 240, 384)
    assert [(result.workers, result.passages) for result in report.results] == [(1, 600), (2, 600)]
    for result in report.results:
        assert result.passages_per_second == pytest.approx(600 / result.seconds)
        assert result.index_seconds > 0
    assert (db.collections(), schemas(db)) == ([], set())
    json.dumps(report.as_json())


def test_the_queue_benchmark(db: Database) -> None:
    report = backlog.backlog(db, rows=8 * BATCH_ROWS, changes=100)
    assert (report.changes.changes, report.changes.rows, report.changes.queued) == (100, 90, 90)
    assert report.rows == 8 * BATCH_ROWS
    assert [claims.before for claims in (report.fresh, report.worked, report.held)] == [0, BATCH_ROWS, 3 * BATCH_ROWS]
    for claims in (report.fresh, report.worked, report.held):
        assert claims.claims == 1
        assert 0 < claims.p50_ms <= claims.p95_ms
    assert (db.collections(), schemas(db)) == ([], set())
    json.dumps(report.as_json())


def test_the_words_benchmark(db: Database) -> None:
    report = words.words(db, passages=300, queries=3, exact=2, inserts=5, dims=8)
    assert [each.kind for each in report.results] == list(words.QUERIES)
    for each in report.results:
        assert 0 < each.p50_ms <= each.p95_ms
        assert each.recall == 1
    assert report.with_seconds is not None
    assert report.without_seconds is not None
    assert db.collections() == []


def test_the_search_benchmark(db: Database) -> None:
    report = overhead.search(db, passages=300, queries=2)
    assert (report.passages, report.queries) == (300, 2)
    written = report.as_json()
    times = [value for name, value in written.items() if name.endswith("_ms")]
    assert len(times) == 12
    assert min(times) > 0
    assert report.round_trips >= 1
    assert written["times_hnsw"]["dense"] == pytest.approx(report.dense_ms / report.hnsw_ms)
    assert (db.collections(), schemas(db)) == ([], set())
    json.dumps(written)


def test_a_benchmark_cleans_up_after_an_error_and_after_one_that_was_killed(
    db: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.connection() as connection:
        connection.execute("CREATE SCHEMA bench_queue; CREATE TABLE bench_queue.rows (id int PRIMARY KEY, body text)")
    db.attach("rows", ["body"], words, schema="bench_queue", name="bench_queue")

    def broken(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr("pgencoder.ingest.queue.finish", broken)
    with pytest.raises(RuntimeError, match="in the middle"):
        backlog.backlog(db, rows=8 * BATCH_ROWS, changes=100)
    assert (db.collections(), schemas(db)) == ([], set())


def test_benchmarks_of_too_little_are_refused(db: Database, dataset: Path) -> None:
    for call in (
        lambda: ingest.ingest(db, beir.read(dataset), ingest.IngestOptions(runs=0)),
        lambda: write.write(db, passages=0),
        lambda: write.write(db, workers=[1, 0]),
        lambda: backlog.backlog(db, rows=100),
        lambda: overhead.search(db, queries=0),
        lambda: backlog.backlog(db, changes=1),
    ):
        with pytest.raises(InvalidRequest, match="must be at least"):
            call()
