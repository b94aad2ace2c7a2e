"""A cross-encoder in an evaluation, beside MaxSim."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pgencoder import Database, load_reranker
from pgencoder.evaluation import evaluating, texts
from pgencoder.evaluation.evaluating import Plan
from pgencoder.evaluation.judging import Judged
from tests.commands import Run, ok
from tests.connections import Connection
from tests.encoder import WordEncoder

JUDGED = Judged("notes", {"1": "red green", "2": "blue"}, [("1", "3", 1), ("2", "2", 1)])


class Shortest:
    """Prefers short passages, slowly."""

    name = "the shortest"

    def __init__(self) -> None:
        self.read: list[int] = []

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        time.sleep(0.05)
        self.read.append(len(passages))
        return [-float(len(passage)) for passage in passages]


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    bodies = ["red green blue", "blue", "red", "green white", "white"]
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(enumerate(bodies, 1)))
    db.attach("notes", ["body"], words, lexical="simple")
    db.sync("notes")
    return db


def test_it_reorders_the_candidates_and_is_timed(notes: Database) -> None:
    reranker = Shortest()
    report = evaluating.evaluate(notes, "notes", JUDGED, Plan(["dense", "maxsim", "fused"], 20, reranker))
    assert list(report.stages) == ["dense", "maxsim", "fused", "cross-encoder"]
    stage = report.stages["cross-encoder"]
    first = stage.queries["1"].first
    assert first is not None
    assert first.key == 3
    assert stage.queries["1"].ndcg == 1
    assert stage.recall == 1
    assert stage.p50_ms >= 50
    assert report.best_single in ("dense", "maxsim")
    assert report.difference("cross-encoder") is not None
    crossed = report.crossed
    assert crossed is not None
    assert (crossed.model, crossed.trained, crossed.after) == ("the shortest", True, "fused")
    assert reranker.read == [5] * 3  # to warm up, then a query each
    assert crossed.passages == 5
    assert 50 <= crossed.ms <= stage.p50_ms
    assert crossed.maxsim_ms is not None
    assert report.as_json()["crossed"]["model"] == "the shortest"


def test_it_reads_only_the_best(notes: Database) -> None:
    reranker = Shortest()
    # ten documents are what nDCG@10 is of, so no fewer are read
    report = evaluating.evaluate(notes, "notes", JUDGED, Plan(["dense"], 20, reranker, rerank_top=2))
    assert reranker.read == [5] * 3
    assert report.crossed is not None


def test_notes_compare_it_with_maxsim() -> None:
    from pgencoder.evaluation.reports import Crossed

    def said(**values: object) -> list[str]:
        usual = {"model": "m", "trained": True, "after": "fused", "passages": 100.0, "ms": 1912.4, "maxsim_ms": 2.6}
        return texts.crossed(Crossed(**usual | values))  # type: ignore[arg-type]

    assert said() == [
        "cross-encoder: m reorders 100 passages of stage fused",
        "MaxSim of as many passages takes 2.6 of the cross-encoder's 1,912 ms: 736 times less",
    ]
    assert len(said(maxsim_ms=None)) == len(said(maxsim_ms=-0.1)) == 1
    assert "no trained head" in said(trained=False)[-1]


def test_the_command_line_has_it(dataset: Path, command: Run, checkpoint: Callable[[str], str], db: Database) -> None:
    options = ("--stages", "dense,maxsim", "--rerank-top", "3")
    done = ok(command("eval", str(dataset), *options, "--rerank", checkpoint("cross")))
    assert "cross-encoder" in done
    assert "reorders 4 passages of stage fused" in done
    assert "no trained head" not in done
    untrained = ok(command("eval", str(dataset), *options, "--rerank", checkpoint("bert")))
    assert "the cross-encoder has no trained head, only a random one" in untrained
    assert not load_reranker(checkpoint("bert"), allow_untrained=True).trained
    assert "no such directory" in command("eval", str(dataset), "--rerank", "/nowhere").stderr
