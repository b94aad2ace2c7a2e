"""What values look like in a REPL, a log and a message: short, on one line, and readable."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgencoder import Piece, Window
from pgencoder.explain.explanation import Explanation
from pgencoder.explain.matches import Match, WordMatch
from pgencoder.plain import short, short_key, shown_key
from pgencoder.representations import of_encoder
from pgencoder.results import (
    Citation,
    CollectionStatus,
    Context,
    FailedRow,
    GenerationStatus,
    Hit,
    Kernel,
    Pair,
    ReconcileReport,
    RepairReport,
    SyncReport,
    WorkerStatus,
)
from pgencoder.sqlalchemy.attach import AttachReport
from pgencoder.types import Collection, Dims, Encoding, Generation, KeyColumn

LONG = "long text\n\x1b[31m " * 2000
NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
FINGERPRINT = {"dims": [384, 384], "model": "m", "weights": "a" * 64}
GENERATION = Generation("articles", 1, "active", FINGERPRINT, of_encoder(Dims(384, 384), "bit"), "default", True)
KEY = KeyColumn("id", "id", "int", "")
MATCH = Match(1, 2, 0.987654321, "lag", (0, 3), (0, 3))
WORD = WordMatch("lag", (0, 3), 0.9, (MATCH,) * 50)
OF_GENERATION = GenerationStatus(1, "active", LONG, None, "bit", "default", 1, 0.5, 0, 0, 0, 0.0, 0.0, True)
VALUES = [
    Hit((1, date(2026, 1, 31)), 0.123456789, 0, (0, 2000), LONG, 1, 0.5),
    Encoding(np.ones(384, np.float32), np.ones((23, 384), np.float32)),
    Citation(1, LONG, (0, 9), LONG, 0.5),
    Context(LONG, (Citation(1, 1, (0, 9), LONG, 0.5),) * 99, 2000),
    Pair(LONG, (LONG, 2), 0.5),
    GENERATION,
    Collection("articles", "public", "articles", (KEY,) * 9, ("a",) * 99, (GENERATION,) * 9),
    CollectionStatus(
        "articles", "public.articles", ("a",) * 99, 1, LONG, None, "bit", "default", 1, 1, 0, 0, True, 1, "sql",
        "symmetric", (OF_GENERATION,) * 9, FINGERPRINT),
    OF_GENERATION,
    WorkerStatus("id", LONG, 1, True, [LONG] * 99, "cpu", NOW, NOW, 1, 1, 1, 1 / 3, LONG),
    FailedRow("articles", 1, {"id": 1, "valid": LONG}, LONG, 3, None, NOW),
    SyncReport(),
    ReconcileReport(),
    RepairReport(LONG, (LONG,) * 4),
    Kernel("sql", None, None, LONG),
    Explanation(LONG, 1, 0, LONG, (0, 9), 1.0, (WORD,) * 99, WORD),
    WORD,
    MATCH,
    AttachReport(attached=(LONG,) * 99, begun=(GENERATION,) * 9),
    Piece(LONG, (0, 9)),
    Window(LONG, 256),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_short(value: object) -> None:
    shown = repr(value)
    assert shown.startswith(f"{type(value).__name__}(")
    assert len(shown) < 800
    assert shown.isprintable()


def test_a_hit_says_where_and_how_it_begins() -> None:
    hit = Hit((1, date(2026, 1, 31)), np.float64(0.123456789), 0, (0, 2000), "Replication lags " * 200, 1, 0.5)
    assert repr(hit) == (
        "Hit(key=(1, 2026-01-31), score=0.123457, passage=0, span=(0, 2000), content='Replication lags Replication lags"
        " Replication lags Replicat…', recall_rank=1, dense_score=0.5, relevance=None, parts={})"
    )
    assert repr(VALUES[1]) == "Encoding(dense=float32(384,), tokens=float32(23, 384))"
    assert "generations=<9 Generation>" in repr(VALUES[6])
    assert "encoder={'model': 'm', ...}" in repr(GENERATION)
    assert "score=nan" in repr(Hit(1, float("nan"), 0, (0, 1), "", 1, 0.5))


KEYS = [
    (7, "7", "7"),
    ("it's", "it's", '"it\'s"'),
    ((1, date(2026, 1, 31)), "1, 2026-01-31", "1, 2026-01-31"),
    ((NOW, "b"), "2026-01-31T12:30:00+00:00, b", "2026-01-31T12:30:00+00:00, 'b'"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.50"), "1.50", "1.50"),
    ((b"\x00\xff", None), "\\x00ff, None", "b'\\x00\\xff', None"),
    ("a\x1b[31m\nb", "a [31m b", "'a\\x1b[31m\\nb'"),
]


@pytest.mark.parametrize(("key", "plain", "in_a_message"), KEYS, ids=str)
def test_keys_are_plain(key: object, plain: str, in_a_message: str) -> None:
    assert shown_key(key) == plain
    assert short_key(key) == in_a_message


@given(
    st.recursive(st.text() | st.floats() | st.dates() | st.binary(), lambda one: st.lists(one) | st.tuples(one, one))
)
def test_any_value_has_a_short_repr(value: object) -> None:
    assert len(short(value)) < 5000
    assert short(value).isprintable()
    assert "\n" not in shown_key(value)
