"""Recall, filters, reranking and grouping, from Python and from SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tokenizers import Tokenizer, models, pre_tokenizers

import pgencoder
from pgencoder import Database, Dims, Encoding, Hit, Window
from pgencoder.errors import InvalidRequest
from pgencoder.search import Search, search_statement
from pgencoder.types import Group, KernelName, Stage
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection, connect, url_of
from tests.encoder import WordEncoder

WORDS = ["red", "green", "blue", "yellow", "black", "white", "purple", "orange", "brown", "pink"]
MANY = 20_000


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    content: Mapped[str]
    body: Mapped[str]


def fill(connection: Connection, rows: int) -> None:
    connection.execute("CREATE TABLE items (id int PRIMARY KEY, lang text, content text, body text)")
    generator = np.random.default_rng(7)
    with connection.cursor().copy("COPY items FROM STDIN") as copy:
        for i in range(1, rows + 1):
            words = generator.choice(WORDS, 3)
            copy.write_row(
                (i, "rare" if i % 100 == 0 else "common", "mine" if i % 2 else "yours", " ".join(words) + f" w{i}")
            )


@pytest.fixture(scope="module")
def encoder() -> WordEncoder:
    return WordEncoder(Dims(8, 8))


@pytest.fixture(scope="module")
def many(server_url: sa.URL, encoder: WordEncoder) -> Iterator[Database]:
    """20,000 rows, shared by the tests of this module, which only read them."""
    url = url_of(server_url, "many")
    with connect(server_url) as admin:
        admin.execute("DROP DATABASE IF EXISTS many")
        admin.execute("CREATE DATABASE many")
        admin.execute("ALTER DATABASE many SET max_parallel_maintenance_workers = 2")
    db = pgencoder.connect(url)
    db.migrate()
    with connect(server_url, "many") as connection:
        fill(connection, MANY)
        db.attach("items", ["body"], encoder, lexical="none")
        db.sync("items")
        connection.execute("ANALYZE")
    yield db
    db.close()


@pytest.fixture
def few(connection: Connection, db: Database, encoder: WordEncoder, kernel: KernelName) -> Database:
    fill(connection, 300)
    for tokens in ("bit", "halfvec"):
        db.attach("items", ["body"], encoder, name=tokens, tokens=tokens, lexical="none")
        db.sync(tokens)
    return db


def keys(hits: list[Hit]) -> list[Any]:
    return [hit.key for hit in hits]


def test_a_filter_that_one_in_a_hundred_pass_gets_all_k(many: Database) -> None:
    for k in (10, 50, 200):
        hits = many.search("items", "red green blue", k=k, filter=Item.lang == "rare")
        assert len(set(keys(hits))) == k
        assert all(key % 100 == 0 for key in keys(hits))


@pytest.mark.parametrize("passing", [0, 1, 3])
def test_fewer_than_k_only_if_the_filter_leaves_fewer(many: Database, passing: int) -> None:
    chosen = [7, 7000, 19_999][:passing]
    hits = many.search("items", "red green blue", k=10, filter=Item.id.in_(chosen))
    assert sorted(keys(hits)) == chosen


@pytest.mark.parametrize("k", [1, 10, 200, 1500])
@pytest.mark.parametrize("group", ["passage", "document"])
@pytest.mark.parametrize("stage", ["dense", "maxsim"])
def test_all_k_whatever_ef_search_is(many: Database, k: int, group: Group, stage: Stage) -> None:
    assert len(set(keys(many.search("items", "red", k=k, candidates=20, group=group, stage=stage)))) == k


def explained(db: Database, search: Search, encoder: WordEncoder, analyze: bool = False) -> str:
    statement = search_statement(db.collection("items"), search, encoder.encode_query("red green"))
    compiled = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]
    options = "ANALYZE, COSTS OFF, TIMING OFF" if analyze else "COSTS OFF"
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN ({options}) {compiled}", compiled.params).all()
    return "\n".join(row[0] for row in rows)


def test_recall_uses_the_index_and_stops_there(many: Database, encoder: WordEncoder) -> None:
    plan = explained(many, Search(), encoder, analyze=True)
    nearest, exact = plan[plan.index("CTE nearest") :].split("Append")
    assert "Index Scan using items_1_dense on items_1" in nearest
    assert "Limit (actual rows=0" in exact
    assert "Seq Scan on items_1 passages_1 (never executed)" in exact


def test_a_filter_is_applied_inside_the_recall(many: Database, encoder: WordEncoder) -> None:
    plan = explained(many, Search(filter=Item.lang == "common"), encoder)
    nearest, _ = plan[plan.index("CTE nearest") :].split("Append")
    assert "Index Scan using items_1_dense" in nearest
    assert "lang" in nearest


def test_recall_finds_what_an_exact_scan_finds(many: Database, encoder: WordEncoder) -> None:
    # statistical: HNSW is approximate, the queries are fixed
    found = total = 0
    for query in ("red green", "blue yellow black", "white", "purple pink orange", "brown w77"):
        approximate = many.search("items", query, k=100, stage="dense")
        exact = many.search("items", query, k=100, stage="dense", filter=sa.text("id + 0 > 0"))
        with many.engine.connect() as connection:
            dense = Halfvec(normalize(encoder.encode_query(query).dense))
            driver: Any = connection.connection.driver_connection
            rows = driver.execute(
                "SELECT id FROM pgencoder.items_1 ORDER BY (dense <#> %s) + 0 LIMIT 100", [dense]
            ).fetchall()
        best = {row[0] for row in rows}
        found += len(best & set(keys(approximate)))
        total += len(best)
        assert len(exact) == 100
    assert found / total > 0.9


def test_settings_end_with_the_statement(many: Database, encoder: WordEncoder) -> None:
    query = encoder.encode_query("red")
    with many.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        before = driver.execute("SELECT current_setting('hnsw.ef_search', true)").fetchone()
        driver.execute(
            "SELECT * FROM pgencoder.items_search(%s, %s, candidates => 500)",
            [Halfvec(query.dense), HalfvecArray(query.tokens)],
        ).fetchall()
        assert driver.execute("SELECT current_setting('hnsw.ef_search', true)").fetchone() in (before, ("40",))
    many.search("items", "red", candidates=500)
    with many.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW hnsw.ef_search").scalar() == "40"


def scores(hits: list[Hit]) -> dict[Any, float]:
    return {hit.key: hit.score for hit in hits}


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_the_score_is_maxsim_and_the_order_is_its(
    few: Database, encoder: WordEncoder, tokens: str, kernel: KernelName
) -> None:
    hits = few.search(tokens, "red w17 pink", k=300, candidates=300)
    assert len(hits) == 300
    query = normalize(encoder.encode_query("red w17 pink").tokens)
    for hit in hits:
        document = normalize(encoder.encode_query(hit.content).tokens)
        if tokens == "bit":
            signs = [np.where(each > 0, 1, -1) / np.sqrt(8) for each in (query, document)]
            # the native kernel compares with the query's floats, in 8 bits
            expected = ((query if kernel == "native" else signs[0]) @ signs[1].T).max(axis=1).sum()
        else:
            expected = (query @ document.T).max(axis=1).sum()
        assert hit.score == pytest.approx(expected, abs=0.03 if (tokens, kernel) == ("bit", "native") else 5e-3)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    by_recall = sorted(hits, key=lambda hit: hit.recall_rank or 0)
    assert [hit.recall_rank for hit in by_recall] == list(range(1, 301))
    dense = [hit.dense_score or 0.0 for hit in by_recall]
    assert dense == sorted(dense, reverse=True)


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_stages_agree_when_recall_has_everything(few: Database, tokens: str) -> None:
    two = few.search(tokens, "red w17 pink", k=300, candidates=300)
    exhaustive = few.search(tokens, "red w17 pink", k=300, stage="exhaustive")
    assert keys(two) == keys(exhaustive)
    assert scores(two) == scores(exhaustive)
    dense = few.search(tokens, "red w17 pink", k=300, stage="dense")
    assert [hit.score for hit in dense] == [hit.dense_score for hit in dense]
    assert keys(dense) != keys(two)


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
@pytest.mark.parametrize("group", ["passage", "document"])
@pytest.mark.parametrize("condition", [None, "lang = 'rare'", "content = 'mine' -- a comment", "id < 20 OR id > 290"])
def test_sql_and_python_find_the_same(
    few: Database, connection: Connection, encoder: WordEncoder, tokens: str, group: Group, condition: str | None
) -> None:
    register(connection)
    query = encoder.encode_query("blue green")
    rows = connection.execute(
        f"SELECT id, passage, content, score, recall_rank, dense_score FROM pgencoder.{tokens}_search("
        "%s, %s, k => 7, candidates => 50, filter => %s, group_by => %s)",
        [Halfvec(normalize(query.dense)), HalfvecArray(normalize(query.tokens)), condition, group],
    ).fetchall()
    text = None if condition is None else sa.text(f"({condition}\n)")
    hits = few.search(tokens, "blue green", k=7, candidates=50, filter=text, group=group)
    assert [row[:3] for row in rows] == [(hit.key, hit.passage, hit.content) for hit in hits]
    assert [row[4] for row in rows] == [hit.recall_rank for hit in hits]
    assert [row[3] for row in rows] == pytest.approx([hit.score for hit in hits], abs=1e-2)


def test_the_function_refuses_what_it_cannot_serve(few: Database, connection: Connection) -> None:
    for arguments, message in (
        ("k => 0", "at least 1, got 0"),
        ("group_by => 'row'", "group_by is 'row'"),
        ("candidates => NULL", "at least 1"),
    ):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
            connection.execute(f"SELECT * FROM pgencoder.bit_search('[1,2,3,4,5,6,7,8]', '{{}}', {arguments})".encode())


def test_filters_of_every_form(few: Database) -> None:
    reflected = few.table("bit").c
    other = sa.Table("items", sa.MetaData(), sa.Column("lang", sa.Text), schema="public")
    for condition in (
        Item.lang == "rare",
        reflected.lang == "rare",
        other.c.lang == "rare",
        sa.text("lang = 'rare'"),
        sa.text("items.lang = :lang").bindparams(lang="rare"),
        sa.and_(Item.lang != "common", sa.func.length(Item.body) > 0),
    ):
        assert sorted(keys(few.search("bit", "red", filter=condition))) == [100, 200, 300]


def test_names_in_a_filter_are_the_sources(few: Database) -> None:
    # passages have columns id and content too
    assert len(few.search("bit", "red", k=300, filter=sa.text("content = 'mine'"))) == 150
    assert keys(few.search("bit", "red", filter=sa.text("id = 3"))) == [3]


def test_values_in_a_filter_are_bound(few: Database) -> None:
    hostile = "'; DROP TABLE items; --"
    assert few.search("bit", "red", filter=Item.lang == hostile) == []
    assert len(few.search("bit", "red", k=300, filter=Item.lang != hostile)) == 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be"),
        ({"k": "3"}, "k must be"),
        ({"candidates": -1}, "candidates must be"),
        ({"group": "row"}, "passage, document"),
        ({"stage": "words"}, "dense, lexical, sparse, maxsim, fused, rrf, exhaustive"),
        ({"filter": "lang = 'rare'"}, "sqlalchemy.text"),
        ({"filter": True}, "SQLAlchemy expression"),
    ],
)
def test_requests_that_cannot_be_served(few: Database, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        few.search("bit", "red", **arguments)


def test_a_query_without_tokens_is_refused(db: Database, connection: Connection, minilm: pgencoder.Encoder) -> None:
    fill(connection, 3)
    db.attach("items", ["body"], minilm, lexical="none")
    db.sync("items")
    with pytest.raises(InvalidRequest, match="no tokens"):
        db.search("items", " ")
    assert len(db.search("items", " ", stage="dense")) == 3


def test_a_passage_without_tokens_comes_last(db: Database, connection: Connection) -> None:
    class Mute(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            found = super().encode_documents(texts)
            return [Encoding(each.dense, each.tokens[:0]) if "red" in text else each
                    for text, each in zip(texts, found, strict=True)]  # fmt: skip

    fill(connection, 30)
    for tokens in ("bit", "halfvec"):
        db.attach("items", ["body"], Mute(), name=tokens, tokens=tokens, lexical="none")
        db.sync(tokens)
        hits = db.search(tokens, "blue", k=30)
        without = ["red" in hit.content for hit in hits]
        assert len(hits) == 30
        assert without == sorted(without)
        assert any(without)


def test_deleted_rows_never_show(few: Database, connection: Connection) -> None:
    best = few.search("bit", "red w17", k=1)[0].key
    connection.execute("DELETE FROM items WHERE id = %s", [best])
    assert best not in keys(few.search("bit", "red w17", k=300))
    assert len(few.search("bit", "red w17", k=300)) == 299


class Splitting(WordEncoder):
    """Reads four words at once."""

    @property
    def windows(self) -> tuple[Window, ...]:
        tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return (Window(tokenizer, 4),)


def test_documents_of_many_passages_still_give_k_documents(connection: Connection, db: Database) -> None:
    connection.execute("CREATE TABLE books (id int PRIMARY KEY, body text)")
    # each book has a hundred passages, the first book nothing but the query's own words
    connection.execute(
        "INSERT INTO books SELECT i, (SELECT string_agg(CASE WHEN i = 1 THEN 'red' ELSE 'w' || i * j END, ' ')"
        " FROM generate_series(1, 400) AS j) FROM generate_series(1, 30) AS i"
    )
    encoder = Splitting(Dims(8, 8))
    db.attach("books", ["body"], encoder, lexical="none")
    assert db.sync("books").passages > 2000
    for stage in ("dense", "maxsim", "exhaustive"):
        hits = db.search("books", "red", k=20, candidates=20, group="document", stage=stage)
        assert len(set(keys(hits))) == 20, stage
        assert hits[0].key == 1
    best = {hit.key: hit.score for hit in reversed(db.search("books", "red", k=3000, candidates=3000))}
    assert scores(db.search("books", "red", k=30, candidates=3000, group="document")) == pytest.approx(best)
    assert len(db.search("books", "red", k=20, candidates=20)) == 20
    register(connection)
    query = encoder.encode_query("red")
    rows = connection.execute(
        "SELECT DISTINCT id FROM pgencoder.books_search(%s, %s, 20, 20, group_by => 'document')",
        [Halfvec(query.dense), HalfvecArray(query.tokens)],
    ).fetchall()
    assert len(rows) == 20


def test_spans_are_characters_of_the_content(connection: Connection, db: Database) -> None:
    connection.execute("CREATE TABLE books (id int PRIMARY KEY, title text, body text)")
    text = "caf\u00e9 \U0001f600\U0001f600 e\u0301t\u00e9 " * 10
    connection.execute("INSERT INTO books VALUES (1, 'title', %s)", [text])
    db.attach("books", ["title", "body"], Splitting(), lexical="none")
    db.sync("books")
    hits = db.search("books", "caf\u00e9", k=50)
    assert len(hits) > 5
    assert all(hit.content == f"title {text}"[hit.span[0] : hit.span[1]] for hit in hits)


def test_row_level_security_of_the_source_holds(few: Database, connection: Connection, url: str) -> None:
    connection.execute(
        "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA pgencoder TO reader;"
        "GRANT SELECT ON items, pgencoder.bit_1, pgencoder.collection, pgencoder.collection_key,"
        " pgencoder.representation, pgencoder.generation, pgencoder.revision TO reader;"
        "GRANT EXECUTE ON FUNCTION pgencoder.bit_active() TO reader;"
        "ALTER TABLE items ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY mine ON items USING (content = 'mine')"
    )
    reader = pgencoder.connect(str(sa.make_url(url).set(username="reader")))
    encoder = WordEncoder(Dims(8, 8))
    hits = reader.search("bit", "red", k=300, encoder=encoder)
    assert len(hits) == 150
    assert all(key % 2 == 1 for key in keys(hits))
    with reader.connection() as as_reader:
        assert as_reader.execute("SELECT count(*) FROM pgencoder.bit_1").fetchone() == (150,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_reader.execute("SELECT * FROM pgencoder.bit_1_queue")
    with pytest.raises(pgencoder.errors.MissingRights, match="Rights"):
        reader.sync("bit", encoder=encoder)
    reader.close()
    connection.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_a_search_inside_ones_own_transaction(few: Database) -> None:
    encoder = WordEncoder(Dims(8, 8))
    statement = search_statement(few.collection("bit"), Search(k=5), encoder.encode_query("red"))
    with few.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO items VALUES (1000, 'common', 'mine', 'red')")
        assert len(connection.execute(statement).all()) == 5
        connection.rollback()
