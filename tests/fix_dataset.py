"""Write a data set in the format of BEIR, small enough to check by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DOCUMENTS = {
    "d1": ("Postgres", "Rows are stored in pages of eight kilobytes."),
    "d2": ("Pasta", "Boil it in salted water for nine minutes."),
    "d3": ("Football", "The match ended in a draw after extra time."),
    "d4": ("", "A replica follows the primary with some lag."),
}


QUERIES = {"q1": "how does a database store rows", "q2": "cooking noodles", "q3": "replication delay", "unjudged": "x"}
QRELS = [("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d4", 1), ("q3", "d1", 0)]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    directory = tmp_path / "tiny"
    (directory / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items()]
    (directory / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in corpus))
    queries = [{"_id": name, "text": text} for name, text in QUERIES.items()]
    (directory / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in queries))
    rows = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in QRELS)]
    (directory / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    return directory
