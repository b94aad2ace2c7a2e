"""Vectors of a sparse model: their scores, that candidates are the best, and who sees what."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from pgvector import SparseVector
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pgencoder import Database, Dims, Encoding, Hit, attach_all, errors, select
from pgencoder.representations import Sparse
from pgencoder.representations.sparse import LEVELS, MOST_WEIGHTS
from pgencoder.representations.terms import SETS
from pgencoder.search import Search
from pgencoder.search.ranking import DENSE, SPARSE, Ranking, ZScores
from pgencoder.sqlalchemy import EncodedColumns
from pgencoder.types import Matrix
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.application import NOBODY, OWNER, TENANTS, App
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]

DIMS = 1_000
COLOURS = ("red", "green", "blue", "white", "black")
QUERY = "red apple w7"


@pytest.fixture
def splade() -> WordEncoder:
    return WordEncoder(Dims(32, 16, DIMS), "splade")


@pytest.fixture
def fruits(connection: Connection, db: Database, splade: WordEncoder) -> Connection:
    """Sixty rows, of which some have the words of the query."""
    connection.execute("CREATE TABLE fruits (id int PRIMARY KEY, body text)")
    rows = [(i, f"{COLOURS[i % 5]} {'apple' if i % 7 == 0 else 'pear'} w{i % 20}") for i in range(1, 61)]
    connection.cursor().executemany("INSERT INTO fruits VALUES (%s, %s)", rows)
    db.attach("fruits", ["body"], splade, lexical="none")
    assert db.sync("fruits").index_built
    return connection


def weights(encoder: WordEncoder, text: str) -> Matrix:
    vector = encoder.encode_query(text).sparse
    assert vector is not None
    return vector.to_numpy()


def products(connection: Connection, encoder: WordEncoder, query: str, table: str = "fruits") -> dict[int, float]:
    """The inner products of all rows with a query, where they are above 0."""
    asked = weights(encoder, query)
    rows = connection.execute(f"SELECT id, body FROM {table}".encode()).fetchall()
    found = {key: float(weights(encoder, body) @ asked) for key, body in rows if body}
    return {key: score for key, score in found.items() if score > 0}


def found(db: Database, encoder: WordEncoder, query: str = QUERY, name: str = "fruits", **options: Any) -> list[Hit]:
    search = Search(**{"stage": "sparse", **options})
    return db.run(db.collection(name), search, encoder.encode_query(query))


def test_it_is_stored_and_described(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    generation = db.collection("fruits").generation
    assert generation.dims == Dims(32, 16, DIMS)
    assert Sparse("sparse", DIMS) in generation.representations
    (stored, terms) = fruits.execute(
        "SELECT sparse::text, sparse_terms FROM pgencoder.fruits_1 LIMIT 1"
    ).fetchone() or (
        "",
        [],
    )
    vector = SparseVector.from_text(stored)
    levels = {
        index + 1: sum(weight >= least for least in LEVELS)
        for index, weight in zip(vector.indices(), vector.values(), strict=True)
    }
    assert terms == [(term - 1) * 8 + level for term, level in levels.items()]
    assert db.status()[0].indexed
    assert (db.status()[0].bytes_per_passage or 0) > 0


@pytest.mark.parametrize("group", ["passage", "document"])
@pytest.mark.parametrize("query", [QUERY, "apple", "pear pear white", "w3 w4 w5 w6 w7 w8"])
def test_scores_are_inner_products(
    fruits: Connection, db: Database, splade: WordEncoder, query: str, group: Any
) -> None:
    hits = found(db, splade, query, k=100, group=group)
    assert {hit.key: hit.score for hit in hits} == pytest.approx(products(fruits, splade, query), rel=1e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 < (hit.relevance or 0) <= 1 for hit in hits)
    assert [hit.parts["sparse"].score for hit in hits] == [hit.score for hit in hits]


def test_a_query_without_weights_finds_nothing(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    assert found(db, splade, "") == []
    assert found(db, splade, "zebra") == [] or products(fruits, splade, "zebra")
    both = Ranking((DENSE, SPARSE), (DENSE, SPARSE), ZScores({"dense": 1, "sparse": 1}))
    assert [hit.key for hit in db.search("fruits", "", stage=both)] == [
        hit.key for hit in db.search("fruits", "", stage="dense")
    ]


FUSIONS: list[dict[str, Any]] = [
    {},
    {"fusion": "zscore"},
    {"fusion": "rrf"},
    {"fusion": "sparse"},
    {"fusion": "dense"},
    {"weights": {"dense": 1, "sparse": 3}},
]


@pytest.mark.parametrize("options", FUSIONS, ids=str)
@pytest.mark.parametrize("group", ["passage", "document"])
def test_every_side_ranks_the_same(
    fruits: Connection, db: Database, splade: WordEncoder, options: dict[str, Any], group: Any
) -> None:
    expected = db.search("fruits", QUERY, 8, group=group, **options)
    if "fusion" not in options or options["fusion"] in ("zscore", "rrf"):
        assert set(expected[0].parts) == {"dense", "sparse", "maxsim"}
    scores = {hit.key: pytest.approx((hit.score, hit.relevance), rel=1e-4) for hit in expected}
    with db.engine.connect() as session:
        statement = select("fruits", QUERY, 8, group=group, db=db, **options)
        assert {row.id: (row.score, row.relevance) for row in session.execute(statement)} == scores
        entity = select(db.table("fruits"), QUERY, 8, group=group, encoder=splade, db=db, **options)
        assert {row.id for row in session.execute(entity)} == scores.keys()
    rows = in_sql(fruits, splade, group_by=group, **options)
    assert {key: (score, relevance) for key, score, relevance, _ in rows} == scores
    assert all(parts["sparse"]["score"] is not None for _, _, _, parts in rows if "sparse" in parts)


def in_sql(connection: Connection, encoder: WordEncoder, query: str = QUERY, **arguments: Any) -> list[Any]:
    register(connection)
    asked = encoder.encode_query(query)
    assert asked.sparse is not None
    named = {"k": 8, "query_sparse": asked.sparse.to_text()} | {
        name: json.dumps(value) if name == "weights" else value for name, value in arguments.items()
    }
    values = [Halfvec(normalize(asked.dense)), HalfvecArray(normalize(asked.tokens)), *named.values()]
    given = ", ".join(f"{name} => ${number}" for number, name in enumerate(named, 3))
    statement = f"SELECT id, score, relevance, parts FROM pgencoder.fruits_search($1, $2, {given})"
    return psycopg.RawCursor(connection).execute(statement.encode(), values).fetchall()


def test_the_function_works_without_it(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    expected = [hit.key for hit in db.search("fruits", QUERY, 8, stage="maxsim")]
    assert [row[0] for row in in_sql(fruits, splade, query_sparse=None)] == expected
    with pytest.raises(psycopg.errors.DataException, match=f"expected {DIMS} dimensions, not 3"):
        in_sql(fruits, splade, query_sparse="{1:1}/3")


async def test_awaitable_searches_take_it(fruits: Connection, db: Database) -> None:
    hits = await db.asearch("fruits", QUERY, 5, stage="sparse")
    assert hits == db.search("fruits", QUERY, 5, stage="sparse")
    assert db.context("fruits", QUERY, 60, stage="sparse").citations[0].key == hits[0].key


def test_a_filter_and_a_boost_hold(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    few = found(db, splade, k=100, filter=sa.text("id > 30"))
    assert {hit.key for hit in few} == {key for key in products(fruits, splade, QUERY) if key > 30}
    boosted = found(db, splade, k=5, boost=sa.text("id"))
    assert boosted[0].score > found(db, splade, k=5)[0].score


def test_words_stand_beside_it(connection: Connection, db: Database, splade: WordEncoder) -> None:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO notes VALUES (1, 'running tables'), (2, 'ERR_42 again'), (3, 'nothing')")
    db.attach("notes", ["body"], splade, lexical="english")
    db.sync("notes")
    (best, *_) = db.search("notes", "ERR_42 again")
    assert (best.key, set(best.parts)) == (2, {"dense", "lexical", "sparse", "maxsim"})
    for stage in ("lexical", "sparse"):
        assert db.search("notes", "ERR_42", 1, stage=stage)[0].key == 2


def test_it_stays_in_step(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    fruits.execute("UPDATE fruits SET body = 'zebra zebra' WHERE id = 1; DELETE FROM fruits WHERE id = 7")
    fruits.execute("UPDATE fruits SET id = 100 WHERE id = 2; INSERT INTO fruits VALUES (101, 'zebra')")
    db.sync("fruits", encoder=splade)
    for query in ("zebra", QUERY):
        hits = found(db, splade, query, k=100)
        assert {hit.key: hit.score for hit in hits} == pytest.approx(products(fruits, splade, query), rel=1e-5)
    assert db.reconcile("fruits").queued == 0


def test_generations_change_it(fruits: Connection, db: Database, splade: WordEncoder, words: WordEncoder) -> None:
    other = WordEncoder(Dims(32, 16, 77), "another")
    db.reencode("fruits", other)
    db.sync("fruits")
    assert db.activate("fruits").dims.sparse == 77
    expected = products(fruits, other, QUERY)
    assert {hit.key: hit.score for hit in found(db, other, k=100)} == pytest.approx(expected, rel=1e-5)
    with pytest.raises(errors.FingerprintMismatch, match="another"):
        db.search("fruits", QUERY, encoder=splade)
    with pytest.raises(sa.exc.DataError, match="expected 77 dimensions"):
        found(db, splade)
    with pytest.raises(sa.exc.DBAPIError, match="was encoded by"), db.engine.connect() as session:
        session.execute(select(db.table("fruits"), QUERY, encoder=splade))
    db.rollback("fruits")
    assert found(db, splade)
    db.reencode("fruits", words)
    db.sync("fruits", encoder=words)
    assert db.activate("fruits").dims.sparse == 0
    with pytest.raises(psycopg.Error, match="stores no sparse vectors"):
        fruits.execute("SELECT * FROM pgencoder.fruits_sparse('{1:1}/3')")
    db.detach("fruits")
    rows = fruits.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relname LIKE 'fruits%'"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace AND proname LIKE 'fruits%'"
    )
    assert rows.fetchall() == []


def test_a_collection_without_it_says_so(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text); INSERT INTO plain VALUES (1, 'alpha')")
    db.attach("plain", ["body"], words)
    db.sync("plain")
    for call in (
        lambda: found(db, words, "alpha", "plain"),
        lambda: db.search("plain", "alpha", stage="sparse"),
        lambda: db.search("plain", "alpha", fusion="sparse"),
        lambda: db.search("plain", "alpha", weights={"dense": 1, "sparse": 1}),
        lambda: select("plain", "alpha", stage="sparse", db=db),
    ):
        with pytest.raises(errors.InvalidRequest, match="--sparse-model"):
            call()


def test_queries_that_cannot_be_compared(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    asked = splade.encode_query(QUERY)
    with pytest.raises(errors.InvalidRequest, match="the query has no sparse vector"):
        db.run(db.collection("fruits"), Search(stage="sparse"), Encoding(asked.dense))
    for wrong, said in (
        (SparseVector({1: -1.0}, DIMS), "at least 0"),
        (SparseVector({1: float("nan")}, DIMS), "at least 0"),
        (SparseVector({DIMS: 1.0}, DIMS), "beyond"),
        ([0.5], "no pgvector.SparseVector"),
    ):
        with pytest.raises(errors.InvalidRequest, match=said):
            db.run(db.collection("fruits"), Search(stage="sparse"), Encoding(asked.dense, sparse=wrong))  # type: ignore[arg-type]


class Broken(WordEncoder):
    """Gives a wrong sparse vector."""

    def __init__(self, sparse: Any) -> None:
        super().__init__(Dims(32, 16, DIMS), "broken")
        self._wrong = sparse

    def _sparse(self, words: Any) -> Any:
        return self._wrong


@pytest.mark.parametrize(
    ("sparse", "said"),
    [
        (None, "is missing"),
        (SparseVector({0: 1.0}, 3), "has 3 dimensions, not 1,000"),
        (SparseVector({0: -1.0}, DIMS), "not finite numbers of at least 0"),
        (SparseVector({0: float("inf")}, DIMS), "not finite numbers of at least 0"),
    ],
)
def test_wrong_vectors_fail(connection: Connection, db: Database, sparse: Any, said: str) -> None:
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text); INSERT INTO plain VALUES (1, 'alpha')")
    db.attach("plain", ["body"], Broken(sparse))
    assert said in (db.sync("plain").error or "")


def test_the_largest_weights_are_kept(connection: Connection, db: Database) -> None:
    many = {i: (i * 7_919 % 9_973 + 1) / 1_000 for i in range(0, 2_000, 2)}
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text); INSERT INTO plain VALUES (1, 'alpha')")
    encoder = Broken(SparseVector(many | {7: 1e-50}, 2_000))
    encoder.dims = Dims(32, 16, 2_000)
    db.attach("plain", ["body"], encoder)
    assert db.sync("plain").rows == 1
    (text,) = connection.execute("SELECT sparse::text FROM pgencoder.plain_1").fetchone() or ("",)
    stored = SparseVector.from_text(text)
    largest = sorted(many, key=lambda i: -many[i])[:MOST_WEIGHTS]
    assert stored.indices() == sorted(largest)
    assert stored.values() == pytest.approx([many[i] for i in sorted(largest)], rel=1e-6)


def test_what_cannot_be_stored_beside(connection: Connection, db: Database, splade: WordEncoder) -> None:
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text); INSERT INTO plain VALUES (1, 'alpha')")
    with pytest.raises(errors.InvalidRequest, match="give a sparse_model"):
        db.attach("plain", ["body"], splade, representations=[Sparse("other", 10)])
    with pytest.raises(errors.InvalidRequest, match="an Encoder makes all itself"):
        db.attach("plain", ["body"], splade, sparse_model="naver/splade")
    db.attach("plain", ["body"], splade)
    connection.execute("CREATE TABLE made AS SELECT id, array_fill(1, ARRAY[32])::real[] AS dense FROM plain")
    with pytest.raises(errors.InvalidSource, match="sparse model, which adopt does not take over"):
        db.adopt("plain", "made", "dense")
    with pytest.raises(errors.InvalidRequest, match="give that too"):
        db.reencode("plain", sparse_model="naver/splade")


def test_a_collection_that_differs_is_said(fruits: Connection, db: Database, words: WordEncoder) -> None:
    with pytest.raises(errors.CollectionExists, match="differs in model"):
        db.attach("fruits", ["body"], words, exist_ok=True)


@pytest.mark.parametrize("lost", ["FUNCTION pgencoder.fruits_sparse", "VIEW pgencoder.fruits_by_sparse"])
def test_what_is_lost_is_repaired(fruits: Connection, db: Database, splade: WordEncoder, lost: str) -> None:
    fruits.execute(f"DROP {lost}".encode())
    db.repair("fruits")
    db.sync("fruits", encoder=splade)
    assert found(db, splade)
    db.migrate()
    db.migrate()
    assert found(db, splade)


def test_a_class_declares_it(fruits: Connection, db: Database, splade: WordEncoder) -> None:
    class Base(DeclarativeBase):
        pass

    class Fruit(Base):
        __tablename__ = "fruits"
        __encoding__ = EncodedColumns(["body"], splade, lexical="none")
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    assert not attach_all(Base, db).changed
    with Session(db.engine) as session:
        expected = [hit.key for hit in db.search("fruits", QUERY, 5, group="document")]
        assert [fruit.id for fruit, _ in session.execute(select(Fruit, QUERY, 5))] == expected
        expected = [hit.key for hit in found(db, splade, k=5, group="document")]
        assert [fruit.id for fruit, _ in session.execute(select(Fruit, QUERY, 5, stage="sparse"))] == expected
        given = splade.encode_query(QUERY)
        assert [fruit.id for fruit, _ in session.execute(select(Fruit, given, 5, stage="sparse"))] == expected
        assert session.execute(select(Fruit, given.dense, 5)).all()  # a query without one is ranked without it


def test_readers_find_only_what_they_may_see(app: App, splade: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], splade)
    app.work(splade)
    for tenant in TENANTS:
        hits = app.db(tenant).search("docs", "number", 1000, stage="sparse", encoder=splade)
        with app.session(tenant) as session:
            visible = {key for (key,) in session.execute("SELECT id FROM docs")}
        assert {hit.key for hit in hits} == visible
        assert visible


def test_a_reader_with_the_rights_of_the_readme(app: App, splade: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], splade)
    app.work(splade)
    app.superuser.execute(
        f"GRANT USAGE ON SCHEMA pgencoder TO {NOBODY}; CREATE POLICY nobody ON docs TO {NOBODY} USING (id < 5);"
        "GRANT SELECT ON docs, pgencoder.docs_1, pgencoder.docs_passages, pgencoder.docs_by_sparse,"
        " pgencoder.collection, pgencoder.representation, pgencoder.collection_key, pgencoder.generation,"
        f" pgencoder.revision TO {NOBODY}; GRANT EXECUTE ON FUNCTION pgencoder.docs_active(),"
        f" pgencoder.docs_sparse(sparsevec) TO {NOBODY}".encode()
    )
    hits = app.db(NOBODY).search("docs", "number", 100, stage="sparse", encoder=splade)
    assert {hit.key for hit in hits} == {key for key, _ in app.rows() if key < 5} != set()


def test_readers_use_the_index(app: App, splade: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], splade)
    app.work(splade)
    with app.session(TENANTS[0]) as session:
        session.execute("SET enable_seqscan = off")  # the table is small
        rows = session.execute("EXPLAIN SELECT * FROM pgencoder.docs_by_sparse").fetchall()
        plan = "\n".join(line for (line,) in rows)
        assert "Bitmap Index Scan on docs_1_sparse" in plan
        # the condition of the policy comes after the best passages were found
        assert plan.index("docs_visible") < plan.index("Sort Key") < plan.index("Bitmap Index Scan")


def test_the_view_of_candidates_tells_nothing_of_hidden_rows(app: App, splade: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], splade)
    app.work(splade)
    asked = splade.encode_query("number").sparse
    assert asked is not None
    with app.session(TENANTS[0]) as session:
        assert session.execute("SELECT count(*) FROM pgencoder.docs_by_sparse").fetchone() == (0,)
        made = session.execute(
            "SELECT weights::text, every FROM pgencoder.docs_sparse(%s)", [asked.to_text()]
        ).fetchone()
        assert made is not None

        def setting(name: str, value: str) -> None:
            session.execute("SELECT set_config(%s, %s, false)", [f"pgencoder.sparse_{name}", value])

        for name in SETS:
            setting(name, ",".join(map(str, made[1])))
        setting("weights", made[0])
        rows = session.execute("SELECT id, passage FROM pgencoder.docs_by_sparse").fetchall()
        visible = {key for (key,) in session.execute("SELECT id FROM docs")}
        assert {key for key, _ in rows} == visible != set()
        # what cannot be compared fails whether there is such a passage or not, by whatever plan
        session.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        for name, wrong, said in (
            ("any_2", "x", psycopg.errors.InvalidTextRepresentation),
            ("any_3", "x", psycopg.errors.InvalidTextRepresentation),
            ("weights", "{1:1}/3", psycopg.errors.DataException),
        ):
            setting(name, wrong)
            for elements in (made[1], [1]):
                setting("any_1", ",".join(map(str, elements)))
                with pytest.raises(said):
                    session.execute("SELECT count(*) FROM pgencoder.docs_by_sparse")
            setting(name, made[0] if name == "weights" else "1")


class Drawn(WordEncoder):
    """Draws the weights of a text, as many as a model gives, by the number that the text is; no tokens."""

    def __init__(self) -> None:
        super().__init__(Dims(2, 0, 3_000), "drawn")

    def encode_query(self, text: str) -> Encoding:
        kind, number = text.split()
        generator = np.random.default_rng([kind == "query", int(number)])
        size = 30 if kind == "query" else 200
        terms = np.unique(np.minimum(generator.zipf(1.2, size) - 1, self.dims.sparse - 1))
        weights = generator.gamma(1.2, 0.6, len(terms))
        return Encoding(
            np.ones(2), sparse=SparseVector(dict(zip(terms.tolist(), weights.tolist(), strict=True)), self.dims.sparse)
        )


def test_candidates_are_the_best(connection: Connection, db: Database) -> None:
    """Of queries whose terms are in many passages, nearly all of the best are among few candidates."""
    drawn, count = Drawn(), 6_000
    connection.execute(
        "CREATE TABLE drawn (id int PRIMARY KEY, body text);"
        f"INSERT INTO drawn SELECT i, 'passage ' || i FROM generate_series(1, {count}) AS i".encode()
    )
    db.attach("drawn", ["body"], drawn)
    db.sync("drawn")
    every = np.stack([weights(drawn, f"passage {i}") for i in range(1, count + 1)])
    recalls = []
    for number in range(20):
        asked = drawn.encode_query(f"query {number}").sparse
        assert asked is not None
        scores = every @ asked.to_numpy()
        worst = np.sort(scores)[-10]
        hits = found(db, drawn, f"query {number}", "drawn")
        recalls.append(sum(scores[hit.key - 1] >= worst - 1e-5 for hit in hits) / 10)
        read, complete = connection.execute(
            "SELECT count(*), bool_or(complete) FROM pgencoder.drawn_1, pgencoder.drawn_sparse(%s) AS c"
            " WHERE sparse_terms && any_1 AND sparse_terms && any_2 AND sparse_terms && any_3",
            [asked.to_text()],
        ).fetchone() or (0, True)
        assert read < count / 2
        assert not complete
    assert sum(recalls) / len(recalls) >= 0.9


def test_words_and_sparse_vectors_without_dense_ones(fruits: Connection, db: Database) -> None:
    """All that a collection stores is searched, by Python and by SQL."""
    encoder = WordEncoder(Dims(0, 0, DIMS))
    db.attach("fruits", ["body"], encoder, name="both")
    db.sync("both")
    hits = db.search("both", QUERY, 8)
    assert set(hits[0].parts) == {"lexical", "sparse"}
    asked = encoder.encode_query(QUERY)
    assert asked.sparse is not None
    search = "SELECT id FROM pgencoder.both_search(NULL, NULL, k => 8, query_text => %s, query_sparse => %s::sparsevec)"
    weights = asked.sparse.to_text()
    assert [key for (key,) in fruits.execute(search, [QUERY, weights])] == [hit.key for hit in hits]
    alone = [hit.key for hit in db.search("both", QUERY, 8, stage="sparse")]
    for group in ("passage", "document"):
        rows = fruits.execute(search.replace("k =>", f"group_by => '{group}', k =>"), [None, weights])
        assert [key for (key,) in rows] == alone
