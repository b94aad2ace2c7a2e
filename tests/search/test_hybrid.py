"""The search of a collection with words: fusions, weights, parts, relevance and boosts, the same from every side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from pgencoder import Database, Hit, errors, select
from pgencoder.search.ranking import WEIGHTS, ZScores
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.commands import Run
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]

QUERY = "red apple w7"
COLOURS = ("red", "green", "blue", "white", "black")
FUSIONS: list[dict[str, Any]] = [
    {},
    {"fusion": "zscore"},
    {"fusion": "rrf"},
    {"fusion": "dense"},
    {"fusion": "lexical"},
    {"fusion": "maxsim"},
    {"weights": {"dense": 1, "lexical": 3}},
    {"fusion": "rrf", "weights": {"lexical": 1.0, "maxsim": 0.25}},
]


@pytest.fixture
def fruits(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    """Sixty rows, of which some have the words of the query; `stars` is NULL for every fourth."""
    connection.execute("CREATE TABLE fruits (id int PRIMARY KEY, stars int, body text)")
    rows = [
        (i, None if i % 4 == 0 else i % 10, f"{COLOURS[i % 5]} {'apple' if i % 7 == 0 else 'pear'} w{i % 20}")
        for i in range(1, 61)
    ]
    connection.cursor().executemany("INSERT INTO fruits VALUES (%s, %s, %s)", rows)
    db.attach("fruits", ["body"], words, lexical="simple")
    db.sync("fruits")
    return connection


def in_sql(connection: Connection, words: WordEncoder, **arguments: Any) -> list[Any]:
    register(connection)
    query = words.encode_query(QUERY)
    named = {"query_text": QUERY} | {
        name: json.dumps(value) if name == "weights" else value for name, value in arguments.items()
    }
    values = [Halfvec(normalize(query.dense)), HalfvecArray(normalize(query.tokens)), *named.values()]
    given = ", ".join(f"{name} => ${number}" for number, name in enumerate(named, 3))
    statement = f"SELECT id, score, relevance, parts FROM pgencoder.fruits_search($1, $2, {given})"
    return psycopg.RawCursor(connection).execute(statement, values).fetchall()


def plain(hits: list[Hit]) -> list[Any]:
    return [(hit.key, hit.score, hit.relevance, _parts(hit)) for hit in hits]


def _parts(hit: Hit) -> dict[str, Any]:
    return {name: {"score": part.score, "rank": part.rank} for name, part in hit.parts.items()}


def approximately(rows: list[Any]) -> list[Any]:
    return [
        (key, pytest.approx(score, abs=1e-6), pytest.approx(relevance, abs=1e-6), _near(parts))
        for key, score, relevance, parts in rows
    ]


def _near(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"score": pytest.approx(each["score"], abs=1e-6), "rank": each["rank"]} for name, each in parts.items()
    }


@pytest.mark.parametrize("group", ["passage", "document"])
@pytest.mark.parametrize("options", FUSIONS, ids=str)
def test_every_side_gives_the_same(
    fruits: Connection, db: Database, words: WordEncoder, options: dict[str, Any], group: Any
) -> None:
    hits = db.search("fruits", QUERY, 12, group=group, **options)
    expected = approximately(plain(hits))
    assert in_sql(fruits, words, k=12, group_by=group, **options) == expected
    filtered = in_sql(fruits, words, k=12, group_by=group, filter="id OPERATOR(pg_catalog.>) 0", **options)
    assert filtered == expected
    statement = select("fruits", QUERY, 12, group=group, db=db, **options)
    with db.engine.connect() as session:
        rows = session.execute(statement).all()
    assert [(row.id, row.score, row.relevance, row.parts) for row in rows] == expected
    assert [hit.key for hit in db.search("fruits", QUERY, 12, group=group, **options)] == [hit.key for hit in hits]


def test_the_default_is_the_weighted_mean_of_z_scores(fruits: Connection, db: Database) -> None:
    hits = db.search("fruits", QUERY, 60)
    assert {name for hit in hits for name in hit.parts} == {"dense", "lexical", "maxsim"}
    weights = {name: WEIGHTS[name] for name in ("dense", "lexical", "maxsim")}
    expected = np.zeros(len(hits))
    for name, weight in weights.items():
        scores = np.array([hit.parts[name].score for hit in hits], dtype=float)
        expected += weight * (scores - scores.mean()) / scores.std() / sum(weights.values())
        places = [1 + int((scores > score).sum()) for score in scores]
        assert [hit.parts[name].rank for hit in hits] == places
    assert [hit.score for hit in hits] == pytest.approx(expected.tolist())
    by_stage = db.search("fruits", QUERY, 60, stage="fused")
    assert plain(by_stage) == plain(hits)
    assert [hit.key for hit in db.search("fruits", QUERY, 60, fusion=ZScores({"dense": 1, "lexical": 0.5, "tokens": 1}))
            ] == [hit.key for hit in hits]  # fmt: skip


def test_one_score_alone_ranks_the_candidates_of_all_recalls(fruits: Connection, db: Database) -> None:
    hits = db.search("fruits", QUERY, 60, candidates=60, fusion="lexical")
    assert len(hits) == 60
    with_words = {hit.key for hit in db.search("fruits", QUERY, 60, stage="lexical")}
    assert {hit.key for hit in hits[: len(with_words)]} == with_words
    assert [hit.score for hit in hits] == [hit.parts["lexical"].score for hit in hits]


def test_a_query_without_words_is_ranked_by_the_others(fruits: Connection, db: Database, words: WordEncoder) -> None:
    by_maxsim = [hit.key for hit in db.search("fruits", QUERY, 10, stage="maxsim")]
    register(fruits)
    query = words.encode_query(QUERY)
    values = [Halfvec(normalize(query.dense)), HalfvecArray(normalize(query.tokens))]
    rows = psycopg.RawCursor(fruits).execute("SELECT id FROM pgencoder.fruits_search($1, $2)", values).fetchall()
    assert [key for (key,) in rows] == by_maxsim
    with db.engine.connect() as session:
        found = session.execute(select("fruits", query, 10, db=db)).all()
    assert [row.id for row in found] == by_maxsim
    assert [hit.key for hit in db.search("fruits", "the zebra", 60)] != []


def test_relevance_is_between_nothing_and_all(fruits: Connection, db: Database, words: WordEncoder) -> None:
    for options in FUSIONS:
        hits = db.search("fruits", "red apple w7", 60, **options)
        relevances = [hit.relevance for hit in hits]
        assert all(each is not None and 0 <= each <= 1 for each in relevances)
        least = sorted(each or 0.0 for each in relevances)[30]
        above = {hit.key for hit in hits if (hit.relevance or 0) >= least}
        assert {hit.key for hit in db.search("fruits", QUERY, 60, min_relevance=least, **options)} == above
        rows = in_sql(fruits, words, k=60, candidates=100, min_relevance=least, **options)
        assert {row[0] for row in rows} == above
        with db.engine.connect() as session:
            found = session.execute(select("fruits", QUERY, 60, db=db, min_relevance=least, **options)).all()
        assert {row.id for row in found} == above
    (same,) = db.search("fruits", "red apple w7", 1, stage="dense")[:1]
    exact = db.search("fruits", fruits.execute("SELECT body FROM fruits WHERE id = 7").fetchone()[0], 1, stage="dense")  # type: ignore[index]
    assert exact[0].relevance == pytest.approx(1, abs=1e-2)
    assert (same.relevance or 0) <= 1


def test_a_boost_enters_the_order(fruits: Connection, db: Database, words: WordEncoder) -> None:
    table = db.table("fruits")
    for options in ({}, {"fusion": "maxsim"}, {"stage": "exhaustive"}, {"stage": "dense"}):
        before = {hit.key: hit.score for hit in db.search("fruits", QUERY, 60, **options)}  # type: ignore[arg-type]
        boosted = db.search("fruits", QUERY, 60, boost=table.c.stars * 100, **options)  # type: ignore[arg-type]
        stars = dict(fruits.execute("SELECT id, stars FROM fruits").fetchall())
        assert {hit.key: hit.score for hit in boosted} == pytest.approx(
            {key: score + 100 * (stars[key] or 0) for key, score in before.items()}
        )
        assert [hit.score for hit in boosted] == sorted((hit.score for hit in boosted), reverse=True)
        text = db.search("fruits", QUERY, 60, boost=sa.text("stars * :factor").bindparams(factor=100), **options)  # type: ignore[arg-type]
        assert [hit.key for hit in text] == [hit.key for hit in boosted]
    hybrid = db.search("fruits", QUERY, 10, boost=table.c.stars * 100)
    assert [row[0] for row in in_sql(fruits, words, boost="stars * 100 -- more")] == [hit.key for hit in hybrid]
    with db.engine.connect() as session:
        rows = session.execute(select("fruits", QUERY, 10, boost=table.c.stars * 100, db=db)).all()
        assert [row.id for row in rows] == [hit.key for hit in hybrid]
        entity = select(table, QUERY, 10, boost=table.c.stars * 100, db=db).where(table.c.id > 30)
        found = [row.id for row in session.execute(entity)]
    assert found == [hit.key for hit in db.search(
        "fruits", QUERY, 10, group="document", boost=table.c.stars * 100, filter=table.c.id > 30)]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fusion": "best"},
            "fusion must be one of zscore, rrf, dense, lexical, sparse, maxsim, or a Fusion, got 'best'",
        ),
        ({"fusion": "rrf", "stage": "dense"}, "give one of the two"),
        ({"stage": "dense", "weights": {"dense": 1}}, "combines no scores"),
        ({"fusion": "dense", "weights": {"dense": 1}}, "takes one score alone"),
        ({"weights": {"tokens": 1}}, "no score 'tokens' to rank by, only dense, lexical, maxsim"),
        ({"weights": {}}, "weights must be numbers of at least 0"),
        ({"weights": {"dense": -1}}, "weights must be numbers of at least 0"),
        ({"weights": 3}, "weights must be numbers by the names dense, lexical, maxsim"),
        ({"min_relevance": 2}, "min_relevance must be a number from 0 to 1, got 2"),
        ({"min_relevance": "much"}, "min_relevance must be a number from 0 to 1"),
        ({"boost": "stars"}, "boost must be a SQLAlchemy expression"),
    ],
)
def test_requests_that_cannot_be_served(fruits: Connection, db: Database, options: Any, message: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=message):
        db.search("fruits", QUERY, **options)
    with pytest.raises(errors.InvalidRequest, match=message):
        select("fruits", QUERY, db=db, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion": "best"}, "fusion is 'best', not zscore, rrf or one of dense, lexical, maxsim"),
        ({"fusion": "dense", "weights": {"dense": 1}}, "weights are for zscore and rrf; dense takes one score alone"),
        ({"weights": {"tokens": 1}}, "not numbers of at least 0, one of them above 0, by the names dense"),
        ({"weights": {"dense": -1}}, "not numbers of at least 0"),
        ({"weights": {"dense": 0}}, "not numbers of at least 0"),
        ({"weights": {"dense": "1"}}, "not numbers of at least 0"),
        ({"weights": [1]}, "not numbers of at least 0"),
    ],
)
def test_requests_that_cannot_be_served_in_sql(
    fruits: Connection, words: WordEncoder, options: Any, message: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
        in_sql(fruits, words, **options)


def test_weights_of_the_command(fruits: Connection, command: Run) -> None:
    refused = command("search", "fruits", QUERY, "--weights", "dense")
    assert refused.returncode != 0
    assert "--weights are numbers by names" in refused.stderr
