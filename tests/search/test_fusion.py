"""The fusions: the numbers that they give, as Postgres computes them, against the definitions in Python."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgencoder import Database, errors, select
from pgencoder.search.ranking import DENSE, TOKENS, Alone, Fusion, Ranking, ReciprocalRanks, ZScores

Connection = psycopg.Connection[Any]
Row = tuple[float | None, float | None]

WEIGHTS = {"dense": 1.0, "tokens": 0.25}
# eighths, some equal: sums of them are exact, so that the reference rounds as the server does
NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, -1.0]), st.integers(-8_000, 8_000).map(lambda n: n / 8))
ROWS = st.lists(st.tuples(st.none() | NUMBERS, st.none() | NUMBERS), min_size=1, max_size=12)


def fused(connection: Connection, fusion: Fusion, rows: Sequence[Row]) -> list[float]:
    """The scores that Postgres gives."""
    expression = fusion.score({"dense": "dense_score", "tokens": "tokens_score"})
    statement = (
        f"SELECT {expression} FROM ROWS FROM (unnest(%s::float8[]), unnest(%s::float8[])) WITH ORDINALITY"
        " AS candidate (dense_score, tokens_score, n) ORDER BY n"
    )
    dense, tokens = zip(*rows, strict=True)
    return [score for (score,) in connection.execute(statement.encode(), [list(dense), list(tokens)])]


def z_scores(scores: Sequence[float | None]) -> list[float]:
    known = np.array([each for each in scores if each is not None])
    if not len(known) or known.max() == known.min() or not np.isfinite(known).all() or known.std() == 0:
        return [0.0] * len(scores)
    filled = np.array([known.min() if each is None else each for each in scores])
    return list((filled - known.mean()) / known.std())


def reciprocals(scores: Sequence[float | None], constant: int = 60) -> list[float]:
    known = [each for each in scores if each is not None]
    return [0.0 if each is None else 1 / (constant + 1 + sum(other > each for other in known)) for each in scores]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_scores_are_those_of_the_definitions(connection: Connection, rows: list[Row]) -> None:
    for fusion, one in ((ZScores(WEIGHTS), z_scores), (ReciprocalRanks(WEIGHTS), reciprocals)):
        expected = [
            (dense + 0.25 * tokens) / 1.25 for dense, tokens in zip(*map(one, zip(*rows, strict=True)), strict=True)
        ]
        assert fused(connection, fusion, rows) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_equal_scores_have_no_influence(connection: Connection) -> None:
    """Even where sums of them are rounded, from which a deviation would come."""
    rows = [(0.1 + 0.2, float(i)) for i in range(7)]
    alone = fused(connection, ZScores({"tokens": 1}), rows)
    assert fused(connection, ZScores({"dense": 1, "tokens": 1}), rows) == pytest.approx([each / 2 for each in alone])


@pytest.mark.parametrize(
    "odd", [[math.inf, 1.0, 2.0], [-math.inf, 1.0, 2.0], [1e-300, 2e-300, 3e-300], [math.nan, 1.0, 2.0]]
)
def test_scores_without_a_deviation_have_no_influence(connection: Connection, odd: list[float]) -> None:
    """Not even where one is infinite, or the squares of the differences are too small for a number."""
    rows = list(zip(odd, [3.0, 1.0, 2.0], strict=True))
    assert fused(connection, ZScores(WEIGHTS), rows) == pytest.approx(
        [0.2 * each for each in z_scores([3.0, 1.0, 2.0])]
    )


@pytest.mark.parametrize("group", ["passage", "document"])
@pytest.mark.parametrize("fusion", [ZScores(WEIGHTS), ReciprocalRanks(WEIGHTS)])
def test_a_search_ranks_by_it(fifty_articles: Connection, db: Database, fusion: Fusion, group: Any) -> None:
    ranking = Ranking((DENSE,), (DENSE, TOKENS), fusion)
    alone = [
        db.search("articles", "number 3", 100, group="passage", stage=Ranking((DENSE,), (DENSE, TOKENS), Alone(name)))
        for name in ("dense", "tokens")
    ]
    scores = [{(hit.key, hit.passage): hit.score for hit in hits} for hits in alone]
    places = sorted(scores[0])
    rows = [(scores[0][place], scores[1][place]) for place in places]
    expected = dict(zip(places, fused(fifty_articles, fusion, rows), strict=True))
    hits = db.search("articles", "number 3", 100, group=group, stage=ranking)
    assert {(hit.key, hit.passage): hit.score for hit in hits} == pytest.approx(
        {(hit.key, hit.passage): expected[hit.key, hit.passage] for hit in hits}
    )
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert {hit.key for hit in hits} == {key for key, _ in places}
    statement = select("articles", "number 3", 3, group=group, stage=ranking, db=db)
    with db.engine.connect() as session:
        assert [row.score for row in session.execute(statement)] == pytest.approx([hit.score for hit in hits[:3]])


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"dense": 0},
        {"dense": -1, "tokens": 2},
        {"dense": math.nan},
        {"dense": math.inf},
        {"dense": 1e308, "tokens": 1e308},
        {"dense": "much"},
        {"dense": None},
        "dense",
        None,
    ],
)
def test_weights_that_make_no_mean_are_refused(weights: Any) -> None:
    for fusion in (ZScores, ReciprocalRanks):
        with pytest.raises(errors.InvalidRequest, match="weights must be numbers of at least 0, and one of them above"):
            fusion(weights)


def test_other_arguments_that_cannot_be_are_refused() -> None:
    with pytest.raises(errors.InvalidRequest, match="constant must be an integer of at least 1"):
        ReciprocalRanks(WEIGHTS, constant=0)
    for fusion in (ZScores({"signature": 1}), Alone("signature")):
        with pytest.raises(errors.InvalidRequest, match="there is no score 'signature' to rank by, only dense"):
            Ranking((DENSE,), (DENSE,), fusion)


def test_equal_rankings_are_one() -> None:
    """Their statement is made once."""
    one, other = (Ranking((DENSE,), (DENSE, TOKENS), ZScores(json.loads(json.dumps(WEIGHTS)))) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Ranking((DENSE,), (DENSE, TOKENS), ZScores({"dense": 1, "tokens": 1}))
