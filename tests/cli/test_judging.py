"""What an evaluation says of its stages: intervals, tuned weights, lines for queries, and the gate."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgencoder import Database
from pgencoder.evaluation import beir
from pgencoder.evaluation.evaluating import Plan
from pgencoder.evaluation.judging import Judged, difference
from pgencoder.evaluation.measuring import Run, Way
from pgencoder.evaluation.tuning import Candidates, tune
from pgencoder.results import Hit, Part
from pgencoder.search.ranking import fused
from tests import commands
from tests.connections import Connection
from tests.encoder import WordEncoder


def test_a_difference_has_the_interval_of_a_paired_bootstrap() -> None:
    generator = np.random.default_rng(3)
    others = generator.uniform(0, 1, 400)
    values = others + generator.normal(0.05, 0.2, 400)
    found = difference("dense", values.tolist(), others.tolist())
    assert found.mean == pytest.approx(float((values - others).mean()))
    # for so many queries the mean is distributed normally
    error = 1.96 * float((values - others).std()) / 20
    assert (found.low, found.high) == pytest.approx((found.mean - error, found.mean + error), abs=0.003)
    assert found.certain
    same = difference("dense", others.tolist(), others.tolist())
    assert (same.mean, same.low, same.high, same.certain) == (0, 0, 0, False)
    assert not difference("dense", (others + generator.normal(0, 0.5, 400)).tolist(), others.tolist()).certain
    assert difference("dense", values.tolist(), others.tolist()) == found


def hits(*scores: tuple[str, float, float | None]) -> list[Hit]:
    return [
        Hit(key, 0.0, 0, (0, 1), "", None, None, None, {"dense": Part(dense, 1), "lexical": Part(lexical, 1)})
        for key, dense, lexical in scores
    ]


NAMES = ["dense", "lexical"]
LEXICAL = {1: 0.5, 60: 90.0}


def test_tuning_finds_the_score_that_ranks_the_relevant_first() -> None:
    first = hits(("a", 0.9, 0.1), ("b", 0.1, 0.9), ("c", 0.8, 0.2))
    second = hits(("d", 0.9, 3.0), ("e", 0.2, 8.0), ("f", 0.5, 1.0))
    queries = [Candidates.of([first], NAMES, {"b": 1}), Candidates.of([second], NAMES, {"e": 1, "lost": 1})]
    best = tune(queries, NAMES, 100)
    assert best.weights["lexical"] > best.weights.get("dense", 0)
    assert best.ndcg == pytest.approx((1 + 1 / (1 + 1 / np.log2(3))) / 2)
    assert best.ndcg > best.default_ndcg
    assert best.queries == 2
    by_dense = tune([Candidates.of([first], NAMES, {"a": 1})], NAMES, 100)
    assert by_dense.weights == {"dense": 1.0, "lexical": 0.5}  # what is as good as the default stays
    assert by_dense.candidates == 100  # the others are not better
    assert tune([Candidates.of([[]], NAMES, {"a": 1})], NAMES, 100).ndcg == 0


def test_tuning_finds_the_number_of_candidates() -> None:
    # the relevant document is the 60th by dense vectors
    found = hits(*((f"d{place:03}", 1 - place / 1000, LEXICAL.get(place)) for place in range(1, 151)))
    best = tune([Candidates.of([found, []], NAMES, {"d060": 1})], NAMES, 70)
    assert best.by_candidates == {50: 0.0, 70: 1.0, 100: 1.0, 200: 1.0}
    assert (best.candidates, best.default_candidates, best.ndcg) == (70, 70, 1.0)
    best = tune([Candidates.of([found, []], NAMES, {"d060": 1})], NAMES, 50)
    assert best.candidates > 50  # which find nothing


def test_a_document_counts_by_its_best_passage() -> None:
    found = [replace(hit, passage=place) for place, hit in enumerate(hits(("a", 0.9, 1), ("b", 0.5, 2), ("a", 0.1, 3)))]
    candidates = Candidates.of([found, found[1:]], NAMES, {"a": 1})
    by_words, by_vectors = candidates.ndcg(np.array([[0.0, 1.0], [1.0, 0.0]]), 100)
    assert (by_words, by_vectors) == (1, 1)
    assert candidates.ndcg(np.array([[0.0, 1.0]]), 1).tolist() == pytest.approx([1 / np.log2(3)])


def test_what_is_tuned_is_what_searches_give(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    colours = ["red", "green", "blue", "white", "black", "grey"]
    bodies = [" ".join(colours[place] for place in (i % 6, i % 5, i // 6 % 6)) + f" n{i}" for i in range(60)]
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(bodies)))
    db.attach("notes", ["body"], words, lexical="simple")
    db.sync("notes")
    relevant = [("q", str(i), 1 + i % 3) for i in range(0, 60, 4)]
    judged = Judged("notes", {"q": "red green white"}, relevant)
    collection = db.collection("notes")
    run = Run(db, collection, judged, {"q": replace(words.encode_query("red green white"), text="red green white")})
    stored = collection.generation.stored
    names = ["dense", "lexical", "maxsim"]
    ranking = fused("zscore", stored)
    recalled = [run.recalled("q", each, ranking.scores, 60) for each in ranking.recalls]
    candidates = Candidates.of(recalled, names, judged.judgements()["q"])
    for weights in ([1.0, 0.5, 1.0], [0.25, 1.0, 0.5], [1.0, 0.0, 0.0]):
        for count in (12, 25, 60):
            chosen = fused("zscore", stored, dict(zip(names, weights, strict=True)))
            found = run.measure("x", Way(chosen, count)).queries["q"].ndcg
            assert candidates.ndcg(np.array([weights]), count)[0] == pytest.approx(found), (weights, count)


@pytest.fixture
def trained(dataset: Path) -> Path:
    """A data set whose training queries want what dense vectors do not find first."""
    (dataset / "qrels" / "train.tsv").write_text((dataset / "qrels" / "test.tsv").read_text())
    return dataset


def test_an_evaluation_is_tuned_and_compared(db: Database, trained: Path) -> None:
    report = beir.evaluate(
        db, beir.read(trained), plan=Plan(["dense", "lexical", "fused"]), train=beir.read(trained, "train")
    )
    assert list(report.stages) == ["dense", "lexical", "fused", "tuned"]
    assert report.best_single == "dense"
    assert report.difference("dense") is None
    compared = report.difference("fused")
    assert compared is not None
    assert compared.baseline == "dense"
    assert compared.mean == pytest.approx(report.stages["fused"].ndcg - report.stages["dense"].ndcg)
    assert report.tuned is not None
    assert report.tuned.ndcg >= report.tuned.default_ndcg
    assert report.stages["tuned"].ndcg == pytest.approx(report.tuned.ndcg)
    plain: Any = json.loads(json.dumps(report.as_json()))
    assert plain["stages"]["fused"]["difference"]["baseline"] == "dense"
    assert plain["tuned"]["weights"] == report.tuned.weights
    rows = list(report.rows())
    assert len(rows) == 4 * 3
    for stage, result in report.stages.items():
        own = [row for row in rows if row[2] == stage]
        assert np.mean([row[3] for row in own]) == pytest.approx(result.ndcg)
        assert np.mean([row[4] for row in own]) == pytest.approx(result.recall)


def test_the_command_judges(trained: Path, command: commands.Run, tmp_path: Path) -> None:
    lines = tmp_path / "queries.csv"
    options = ("--stages", "dense,lexical,fused", "--tune", "--csv", str(lines))
    done = command("eval", str(trained), *options, "--gate", "0.2")
    assert done.returncode == 0, done.stderr
    assert "against dense" in done.stdout
    assert "tuned on 3 training queries" in done.stdout
    with lines.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert {row["stage"] for row in rows} == {"dense", "lexical", "fused", "tuned"}
    below = command("eval", str(trained), "--stages", "dense,fused", "--gate", "1.1")
    assert below.returncode == 1
    assert "nDCG@10 is below 1.1: tiny" in below.stderr
    (trained / "qrels" / "train.tsv").unlink()
    assert "it has no qrels/train.tsv" in command("eval", str(trained), "--tune").stderr
    twice = command("eval", str(trained), str(trained), "--stages", "dense")
    assert "mean of 2 data sets" in twice.stdout
    pooled = command("eval", str(trained), "--stages", "maxsim", "--pooling", "2")
    assert "tokens bit (pooling 2), chunking default" in pooled.stdout
