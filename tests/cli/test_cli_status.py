"""How `pgencoder status` looks, at any width and in a pipe."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from pgencoder.cli import output, status
from pgencoder.results import CollectionStatus, FailedRow, GenerationStatus, WorkerStatus

NOW = datetime.now(UTC)
ACTIVE = GenerationStatus(
    1, "active", "sentence-transformers/all-MiniLM-L6-v2", None, "bit", "default", 14_012, 0.9994, 12, 3, 1, 250.0,
    35.24, True)  # fmt: skip
BUILDING = replace(ACTIVE, number=2, state="building", token_model="colbert-ir/colbertv2.0", tokens="halfvec",
                   coverage=0.31, indexed=False, failed=0, pooling=2)  # fmt: skip
ARTICLES = CollectionStatus(
    "articles", "public.articles", ("title", "body"), 1, ACTIVE.model, None, "bit", "default", 12_345, 14_012, 0, 12,
    True, 13_440, "native", "asymmetric", (ACTIVE, BUILDING), {})  # fmt: skip
NOTES = replace(
    ARTICLES, name="notes", source="public.notes", tokens="none", source_rows=None, bytes_per_passage=None,
    problem="the table public.notes is gone; run: pgencoder detach notes",
    generations=(replace(ACTIVE, tokens="none", coverage=None, queued=0, in_flight=0, failed=0, lag_seconds=0.0,
                         rows_per_second=0.0, index_error="no space left on device"),))  # fmt: skip
WORKERS = [
    WorkerStatus("1", "tower.example.org", 4711, True, ["org/model-a", "model-b"], "cuda:0", NOW,
                 NOW - timedelta(seconds=3), 1_234_567, 1, 0, 35.2, None),
    WorkerStatus("2", "tower", 4712, False, [], None, NOW, NOW - timedelta(hours=3), 12, 1, 0, 0.0,
                 "articles_1: cannot load 'no/such'; run: something else"),
]  # fmt: skip
FAILED = FailedRow("articles", 1, {"id": 7, "valid": "2026-01-31"}, "ValueError: no words " * 20, 8, None, NOW)


def shown(
    monkeypatch: pytest.MonkeyPatch,
    width: int | None,
    *states: CollectionStatus,
    workers: Sequence[WorkerStatus] = WORKERS,
) -> str:
    """What is printed to a terminal of this width, or to a pipe."""
    written = io.StringIO()
    terminal = width is not None
    console = Console(file=written, width=width, force_terminal=terminal, color_system=None, markup=False)
    monkeypatch.setattr(output, "console", console)
    status.show(states, workers, {"articles": [FAILED]}, NOW)
    return written.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_a_terminal_folds_lines_and_no_word(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    text = shown(monkeypatch, width, ARTICLES, NOTES)
    facts = [line for line in text.splitlines() if line.startswith((" ", "worker"))]
    assert all(len(line) <= width and line == line.rstrip() for line in facts)
    assert text.split() == shown(monkeypatch, None, ARTICLES, NOTES).split()


def test_a_pipe_gets_a_line_for_each_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, None, ARTICLES).splitlines()
    assert lines[:9] == [
        "articles",
        "  source      public.articles (title, body), 12,345 rows",
        "  MaxSim      asymmetric, kernel native, 13,440 bytes a passage",
        "  1 active    all-MiniLM-L6-v2, bit tokens, default chunking",
        "              99.9% encoded, 14,012 passages, HNSW index",
        "              12 queued, 3 in flight, 1 failed, lag 4 min, 35.2 rows/s",
        "  2 building  all-MiniLM-L6-v2 + colbertv2.0, halfvec tokens (pooling 2), default chunking",
        "              31.0% encoded, 14,012 passages, no index yet",
        "              12 queued, 3 in flight, 0 failed, lag 4 min, 35.2 rows/s",
    ]
    assert lines[9].startswith("  failed      id 7, valid 2026-01-31: ValueError: no words ValueError: no words ")
    assert lines[9].endswith("ValueError:… (8 attempts, rests: pgencoder retry)")
    assert lines[11:] == [
        "worker      tower.example.org:4711, seen 3 s ago, on cuda:0, 1,234,567 rows, 35.2 rows/s, model-a, model-b",
        "worker      tower:4712, dead? seen 3 h ago, 12 rows",
        "  PROBLEM     articles_1: cannot load 'no/such'",
        "              run: something else",
        "",
    ]


def test_problems_stand_below_the_name_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80, ARTICLES, NOTES, workers=[]).splitlines()
    place = lines.index("notes")
    assert lines[place + 1 : place + 4] == [
        "  PROBLEM     the table public.notes is gone",
        "              run: pgencoder detach notes",
        "  PROBLEM     generation 1 has no index: no space left on device",
    ]
    assert lines[-2:] == [
        "no worker runs and 24 rows wait; start one: pgencoder worker",
        "1 of 2 collections need attention: notes",
    ]


def test_without_collections_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, 80, workers=[]).strip() == output.NO_COLLECTIONS
