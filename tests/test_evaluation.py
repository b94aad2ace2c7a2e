"""Evaluation and benchmarks on data small enough to check by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgencoder import Database
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import beir, bench

DOCUMENTS = {
    "d1": ("Postgres", "Rows are stored in pages of eight kilobytes."),
    "d2": ("Pasta", "Boil it in salted water for nine minutes."),
    "d3": ("Football", "The match ended in a draw after extra time."),
    "d4": ("", "A replica follows the primary with some lag."),
}
QUERIES = {"q1": "how does a database store rows", "q2": "cooking noodles", "q3": "replication delay", "unjudged": "x"}
QRELS = [("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d4", 1), ("q3", "d1", 0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "tiny"
    (directory / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items()]
    (directory / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in corpus))
    queries = [{"_id": name, "text": text} for name, text in QUERIES.items()]
    (directory / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in queries))
    rows = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in QRELS)]
    (directory / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    return directory


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_a_ranking_that_is_right_scores_one(db: Database, folder: Path, tokens: str) -> None:
    report = beir.evaluate(db, beir.read(folder), tokens=tokens)  # type: ignore[arg-type]
    plain = report.as_json()
    assert list(plain["stages"]) == ["dense", "maxsim", "exhaustive"]
    for stage in plain["stages"].values():
        assert (stage["ndcg@10"], stage["recall@100"]) == (1.0, 1.0)
        assert 0 < stage["p50_ms"] <= stage["p95_ms"]
    assert (plain["dataset"], plain["documents"], plain["queries"], plain["passages"]) == ("tiny", 4, 3, 4)
    assert plain["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert plain["bytes_per_passage"] > 0
    json.dumps(plain)


def test_a_ranking_that_is_wrong_does_not(db: Database, folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td1\t1\n")
    stage = beir.evaluate(db, beir.read(folder), stages=["maxsim"]).stages["maxsim"]
    assert 0.3 < stage.ndcg < 0.8
    assert stage.recall == 1.0


def test_the_encoding_is_kept_until_the_documents_change(db: Database, folder: Path) -> None:
    synced: list[tuple[int, int]] = []

    def evaluate() -> int:
        synced.clear()
        beir.evaluate(db, beir.read(folder), stages=["dense"], on_sync=lambda done, total: synced.append((done, total)))
        return synced[-1][0] if synced else 0

    assert evaluate() == 4
    assert evaluate() == 0
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d5", "title": "More", "text": "words"}) + "\n")
    assert evaluate() == 5


def test_a_folder_that_lacks_a_file(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(InvalidRequest, match=r"tiny is no BEIR folder: it has no qrels/test\.tsv"):
        beir.read(folder)


def test_the_rerank_benchmark_compares_equal_scores(db: Database, folder: Path) -> None:
    report = bench.rerank(db, beir.read(folder), candidates=3, queries=2)
    assert (report.rows, report.documents, report.dims, report.candidates) == ("tiny", 4, 384, 3)
    assert report.ratio == pytest.approx(report.example_ms / report.sql_ms)
    assert report.bit_ratio == pytest.approx(report.example_ms / report.bit_ms)
    with db.connection() as connection:
        connection.execute(bench.EXAMPLE.format(vector=db.vector_schema).encode())
        row = connection.execute(
            "SELECT pg_temp.example(q, d), pgencoder.maxsim(q, d) FROM (VALUES (array['[0.6,0.8]','[1,0]']::halfvec[],"
            " array['[0,1]','[-1,0]','[0.8,0.6]']::halfvec[])) AS t (q, d)"
        ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(row[1], abs=1e-3)


def test_the_ingest_benchmark_leaves_nothing_behind(db: Database, folder: Path) -> None:
    report = bench.ingest(db, beir.read(folder), documents=3)
    assert report.documents == 3
    assert report.ratio == pytest.approx(report.sync_seconds / report.model_seconds)
    assert db.collections() == []
