"""Everything that pgencoder does with a database, in steps, for tests that look at what it sends and what that runs.

The tables are in the schema `blog`, one with each kind of key and of tokens. What a user sends himself is qualified.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import psycopg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column

import pgencoder
import pgencoder.alembic
from pgencoder import Database, Dims, WorkerOptions
from pgencoder.bench import backlog, overhead, rerank
from pgencoder.bench import pairs as pairs_bench
from pgencoder.bench import words as words_bench
from pgencoder.catalog.objects import Objects
from pgencoder.cli import demo, server
from pgencoder.db import locks
from pgencoder.evaluation import beir
from pgencoder.ingest import backfill, index, queue
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.integrations import llama_index
from pgencoder.integrations.langchain import PgencoderRetriever, PgencoderVectorStore
from pgencoder.representations.base import Measure, Parameter
from pgencoder.search import rows
from pgencoder.search.ranking import DENSE, Alone, Ranking, ReciprocalRanks, ZScores
from pgencoder.sqlalchemy import EncodedColumns, passages_of, with_passage
from pgencoder.types import FUSIONS
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.workers import running, until


class Words(WordEncoder):
    """Cannot encode one text."""

    def encode_documents(self, texts: Sequence[str]) -> list[pgencoder.Encoding]:
        if any("poison" in text for text in texts):
            raise ValueError("poison")
        return super().encode_documents(texts)


@dataclass(frozen=True)
class Shortest(Measure):
    """The shorter the passage, the better."""

    name: str = "content"

    def parameters(self, _: pgencoder.Encoding) -> Mapping[str, Parameter]:
        return {}

    def query(self, _: Mapping[str, str]) -> str:
        return "NULL"

    def score(self, query: str) -> str:
        return f"OPERATOR(pg_catalog.-) {self.distance(query)}"

    def distance(self, _: str) -> str:
        return "pg_catalog.char_length(content)::double precision"


MEASURES = (DENSE, Shortest())
WEIGHTS = {"dense": 1, "content": 0.5}
FUSED = [
    Ranking(MEASURES, MEASURES, fusion) for fusion in (Alone("content"), ZScores(WEIGHTS), ReciprocalRanks(WEIGHTS))
]
WORDS, SECOND, SPARSE = Words(), WordEncoder(Dims(16, 8), "second"), WordEncoder(Dims(16, 8, 99), "sparse")
NAMES = ("articles", "notes", "pages", "plain")
WITH_WORDS = tuple(each for each in FUSIONS if each != "sparse")
QUERY = "red green"
# One of each operator; none of them matches a key that is not there
FILTERS = [
    {"$eq": 1}, {"$gt": 1}, {"$gte": "a"}, {"$in": [1]}, {"$between": [1, 2]}, {"$between": ["a", "b"]}, {"$like": "a"},
    {"$ilike": "a"}, {"$exists": True}]  # fmt: skip
COLOURS = ("red", "green", "blue", "black", "white")

TABLES = """
CREATE TABLE blog.articles (id int PRIMARY KEY, lang varchar(9), n int, body text);
CREATE TABLE blog.notes (code varchar(20) PRIMARY KEY, n int, body varchar);
CREATE TABLE blog.pages (site text, n bigint, body text, extra varchar(50), PRIMARY KEY (site, n));
CREATE TABLE blog.plain (id bigint PRIMARY KEY, n int, body text);
"""


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "articles"
    __table_args__ = {"schema": "blog"}  # noqa: RUF012
    __encoding__ = EncodedColumns(["lang", "body"], WORDS)
    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    n: Mapped[int]
    body: Mapped[str]


@dataclass
class Parties:
    """Who uses a database: each with a role of its own, or all with one."""

    owner: Database
    worker: Database
    reader: Database
    app: Connection  # writes rows
    path: str = "public"  # of users, who have engines of their own
    server: Mapping[str, str] | None = None  # where these are, if not where the databases are
    condition: Callable[[Any], Any] = lambda column: column > 1  # what users filter by

    def url(self, db: Database, driver: str = "postgresql") -> str:
        """The URL by which a user finds the database."""
        url = db.engine.url.set(drivername=driver, query=self.server or db.engine.url.query)
        return url.render_as_string(hide_password=False)

    def engine(self, db: Database) -> sa.Engine:
        """A user's engine: what SQLAlchemy and psycopg send first goes by pg_catalog, what follows by `path`."""
        pinned = {"options": "-csearch_path=pg_catalog"}
        engine = sa.create_engine(self.url(db, "postgresql+psycopg"), connect_args=pinned, use_native_hstore=False)

        @sa.event.listens_for(engine, "checkout")
        def _set(connection: Connection, *_: object) -> None:
            connection.autocommit = True
            connection.execute("SELECT pg_catalog.set_config('search_path', %s, false)", [self.path])
            connection.autocommit = False

        return engine


def fill(rows: Connection) -> None:
    """Rows for the tables."""
    for i in range(1, 16):
        body = " ".join(COLOURS[(i * j) % 5] for j in range(1, 6))
        rows.execute("INSERT INTO blog.articles VALUES (%s, 'en', %s, %s)", [i, i, body])
        rows.execute("INSERT INTO blog.notes VALUES (%s, %s, %s)", [f"c{i}", i, body])
        rows.execute("INSERT INTO blog.pages VALUES (%s, %s, %s, 'more')", [f"site {i}", i, body])
        rows.execute("INSERT INTO blog.plain VALUES (%s, %s, %s)", [i, i, body])


def attach(parties: Parties) -> None:
    db = parties.owner
    assert db.attach("articles", ["lang", "body"], WORDS, schema="blog", progress=lambda *_: None) == 15
    assert db.attach("blog.notes", ["body"], WORDS, name="notes", tokens="halfvec", lexical="simple") == 15
    assert db.attach("pages", ["body", "extra"], WORDS, schema="blog", chunking="truncate", pooling=2) == 15
    assert db.attach("plain", ["body"], WORDS, schema="blog", tokens="none", lexical="english") == 15


def sync(parties: Parties) -> None:
    for name in NAMES:
        assert parties.owner.sync(name, encoder=WORDS).rows == 15


def write(parties: Parties) -> None:
    """Changes by those who know nothing of pgencoder, and a snapshot that its worker does not see."""
    app = parties.app
    same = "OPERATOR(pg_catalog.=)"
    app.execute(f"UPDATE blog.articles SET body = 'red changed' WHERE id {same} 3")
    app.execute(f"UPDATE blog.notes SET body = 'red changed' WHERE code {same} 'c3'")
    app.execute(f"DELETE FROM blog.pages WHERE n {same} 4")
    app.execute("INSERT INTO blog.pages VALUES ('new', 100, 'black red', 'less')")
    app.execute("TRUNCATE blog.plain")
    app.execute("INSERT INTO blog.plain VALUES (1, 1, 'red'), (2, 2, 'red green')")


def work(parties: Parties) -> None:
    """A worker that runs until nothing is queued, and an index that cannot be built."""
    worker = parties.worker.worker(encoders=[WORDS, SECOND], options=WorkerOptions(poll=0.05, batch_rows=1))
    with running(worker):
        until(lambda: [each.queued for each in parties.owner.status()] == [0] * 4)
    objects = Objects(parties.worker.collection("articles"), parties.worker.vector_schema)
    with parties.worker.connection() as connection:
        assert backfill.index_progress(connection, objects) is None
        index.note_failure(connection, objects.generation, RuntimeError("no room"))
        index.forget_failure(connection, "articles")


def search(parties: Parties) -> None:
    db = parties.reader
    for name in NAMES:
        filters = [None, parties.condition(db.table(name).c.n)]
        stages = (None, "dense", "exhaustive", *FUSED) if name != "plain" else (None, *FUSED)
        for filter in filters:
            for group in ("passage", "document"):
                if name == "notes":
                    for fusion in (None, *WITH_WORDS):
                        assert db.search(
                            *(name, QUERY, 3),
                            filter=filter,
                            group=group,
                            fusion=fusion,
                            boost=sa.text("n OPERATOR(pg_catalog.*) 1"),
                            min_relevance=0.001,
                            encoder=WORDS,
                        )
                    assert db.search(name, QUERY, 3, filter=filter, group=group, stage="lexical", encoder=WORDS)
                for stage in stages:
                    assert db.search(name, QUERY, 3, filter=filter, group=group, stage=stage, encoder=WORDS)  # type: ignore[arg-type]


def search_in_sql(parties: Parties) -> None:
    vector = parties.owner.vector_schema
    query = WORDS.encode_query(QUERY)
    with psycopg.connect(parties.url(parties.reader), autocommit=True) as user:
        assert user.execute("SELECT * FROM pgencoder.notes_lexical('red')").fetchall()
        for fusion in (None, *WITH_WORDS):
            rows = user.execute(
                f"SELECT * FROM pgencoder.notes_search(%s::{vector}.halfvec, %s::{vector}.halfvec[],"
                " query_text => 'red', fusion => %s, boost => 'n OPERATOR(pg_catalog.*) 1',"
                " min_relevance => 0)".encode(),
                [_text(query.dense), _array(query.tokens), fusion],
            )
            assert rows.fetchall()
        for name in NAMES:
            for group in ("passage", "document"):
                rows = user.execute(
                    f"SELECT * FROM pgencoder.{name}_search(%s::{vector}.halfvec, %s::{vector}.halfvec[],"
                    " filter => 'n OPERATOR(pg_catalog.>) 0', group_by => %s)".encode(),
                    [_text(query.dense), _array(query.tokens), group],
                )
                assert rows.fetchall()
            assert user.execute(f"TABLE pgencoder.{name}_passages".encode()).fetchall()


def explain(parties: Parties) -> None:
    db = parties.reader
    for name in NAMES:
        hit = db.search(name, QUERY, 1, encoder=WORDS)[0]
        assert db.context(name, QUERY, 50, encoder=WORDS).text
        assert db.explain(name, QUERY, hit.key, encoder=WORDS)
        assert hit.explain()


def pairs(parties: Parties) -> None:
    for name in NAMES:
        for method in ("exact", "ann"):
            assert list(parties.reader.similar_pairs(name, 0.1, method=method))
        assert len(list(parties.reader.similar_pairs(name, 0.1, limit=1))) == 1


def select(parties: Parties) -> None:
    """The ORM, on connections of the user's own engine."""
    engine = parties.engine(parties.reader)
    found = pgencoder.select(Article, QUERY, 3)
    with Session(engine) as session:
        assert session.execute(found).all()
        assert session.execute(with_passage(found)).all()
        article = session.scalars(found).first()
        assert article is not None
        assert article.passages
        assert session.scalars(sa.select(passages_of(Article))).all()
        loaded = found.options(joinedload(Article.passages))  # type: ignore[attr-defined]
        assert session.execute(loaded).unique().all()
        for name in NAMES:
            for group in ("passage", "document"):
                chosen = pgencoder.select(name, QUERY, 3, group=group, encoder=WORDS, db=parties.reader)
                assert session.execute(chosen).all()
        passages = pgencoder.recall(Article, QUERY, 3)
        score = pgencoder.maxsim(WORDS.encode_query(QUERY), passages.c.tokens)
        assert session.execute(sa.select(passages.c.k1, score)).all()
    engine.dispose()


def generations(parties: Parties) -> None:
    db = parties.owner
    for name in NAMES:
        tokens = {"notes": "bit", "plain": "none"}.get(name)
        assert db.reencode(name, SECOND, tokens=tokens) > 0  # type: ignore[arg-type]
    parties.worker.worker(encoders=[WORDS, SECOND]).run_once()
    for name in NAMES:
        assert db.activate(name).number == 2
        assert db.search(name, QUERY, 1, encoder=SECOND)
        assert db.rollback(name).number == 1
        assert db.drop(name, 2).number == 2


def adopt(parties: Parties) -> None:
    db = parties.owner
    with psycopg.connect(parties.url(db), autocommit=True) as user:
        user.execute("CREATE TABLE blog.mine AS SELECT id, dense, tokens FROM pgencoder.articles_1")
        user.execute("UPDATE blog.articles SET n = n OPERATOR(pg_catalog.+) 1")
    db.reencode("articles", WORDS)
    assert db.adopt("articles", "mine", "dense", "tokens", schema="blog") == 15
    db.sync("articles", encoder=WORDS)
    db.drop("articles")
    with psycopg.connect(parties.url(db), autocommit=True) as user:
        user.execute("DROP TABLE blog.mine")


def look(parties: Parties) -> None:
    for db in (parties.owner, parties.worker):
        assert len(db.status()) == 4
        assert db.workers() is not None
        assert db.failed() == []
        assert len(db.collections()) == 4
        assert db.kernel().name == "sql"
    parties.owner.server_version()
    parties.owner.pg_config()
    parties.owner.use_kernel("sql")


def upkeep(parties: Parties) -> None:
    for name in NAMES:
        assert parties.owner.retry(name) == 0
        assert parties.owner.reconcile(name).missing == 0
    assert pgencoder.attach_all(Base, parties.owner).unchanged == ("articles",)


def migrate(parties: Parties) -> None:
    parties.owner.migrate()


def alembic(parties: Parties) -> None:
    """Operations in a migration of the user's own, on his connection."""
    engine = parties.engine(parties.owner)
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection, opts={"target_metadata": Base.metadata}))
        op: Any = operations
        op.attach_encoding("articles", ["body"], WORDS, schema="blog", name="other")
        op.reencode("other", SECOND, pooling=2)
        op.reencode("other", WORDS)
        op.detach_encoding("other")
    engine.dispose()


def script(parties: Parties) -> None:
    """The same as a script, which is then run."""
    printed = io.StringIO()
    options = {"as_sql": True, "output_buffer": printed, "pgencoder_vector_schema": parties.owner.vector_schema}
    op: Any = Operations(MigrationContext.configure(dialect_name="postgresql", opts=options))
    key = {"id": "integer"}
    op.attach_encoding("articles", ["body"], SPARSE, schema="blog", name="other", key=key)
    op.reencode(
        "other", SECOND, tokens="bit", chunking="default", table="articles", columns=["body"], schema="blog", key=key
    )
    op.detach_encoding("other")
    with psycopg.connect(parties.url(parties.owner)) as user:
        user.execute(printed.getvalue().encode())


def fail(parties: Parties) -> None:
    """Rows that cannot be encoded, leases that are extended and given back, and passages that move."""
    db = parties.owner
    same = "OPERATOR(pg_catalog.=)"
    parties.app.execute(f"UPDATE blog.articles SET body = 'poison' WHERE id {same} 6")
    parties.app.execute(f"UPDATE blog.notes SET code = 'moved' WHERE code {same} 'c5'")
    parties.worker.worker(encoders=[WORDS, SECOND]).run_once()
    assert len(db.failed()) == 1
    assert db.retry("articles") == 1
    objects = Objects(db.collection("articles"), db.vector_schema)
    with db.connection() as connection:
        claimed = queue.claim(connection, objects, "new", 10, lease=60)
        queue.extend(connection, objects, claimed, 60)
        queue.release(connection, objects, claimed)
        assert locks.list_holders(connection, "generation") == "that have ended"
        assert rows.pieces(connection, db.collection("articles"), [(2, (0, 2))]) == ["en"]
    parties.app.execute(f"DELETE FROM blog.articles WHERE id {same} 6")
    db.sync("articles", encoder=WORDS)


def store(parties: Parties) -> None:
    made = PgencoderVectorStore.create(parties.owner, "colours", encoder=WORDS)
    made.add_texts(["red green", "blue"], [{"n": 1}, {"n": 2}], ids=["1", "2"])
    assert made.similarity_search("red", 1)[0].id == "1"
    assert made.similarity_search("red", 1, filter={"n": 2})[0].id == "2"
    for test in FILTERS:
        assert made.similarity_search("red", 1, filter={"n.x": test}) == []
        assert len(made.similarity_search("red", 9, filter={"$not": {"m": {"n": test}}, "n": {"$ne": 3}})) == 2
    assert made.max_marginal_relevance_search("red", 1)
    assert made.get_by_ids(["2"])
    assert made.delete(["2"])
    assert made.delete()
    parties.owner.detach("colours")


def nodes(parties: Parties) -> None:
    filters = MetadataFilters(
        filters=[MetadataFilter(key="n", value=1), MetadataFilter(key="m", value=["a"], operator=FilterOperator.ANY)],
        condition=FilterCondition.OR,
    )
    text = MetadataFilter(key="m", value="A", operator=FilterOperator.TEXT_MATCH_INSENSITIVE)
    for name, given in [("given", {"embed_dim": 2}), ("encoded", {"encoder": WORDS})]:
        made = llama_index.PgencoderVectorStore.create(parties.owner, name, **given)  # type: ignore[arg-type]
        made.add([TextNode(id_="1", text="red green", metadata={"n": 1, "m": "a"}, embedding=[1.0, 0.0])])
        for mode in (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.MMR):
            asked = VectorStoreQuery([1.0, 0.0], query_str="red", filters=filters, node_ids=["1"], mode=mode)
            assert made.query(asked).ids == ["1"]
        assert made.get_nodes(filters=MetadataFilters(filters=[text]))
        made.delete("none")
        made.delete_nodes(["1"], filters)
        made.clear()
        assert made.get_nodes() == []
        parties.owner.detach(name)
    same = MetadataFilters(filters=[MetadataFilter(key="n", value=2)])
    found = llama_index.PgencoderRetriever(
        parties.reader, "articles", filters=same, encoder=WORDS, metadata_columns=["n"]
    )
    assert found.retrieve(QUERY)
    retriever = PgencoderRetriever(
        db=parties.reader, collection="articles", metadata_columns=["n"], filter={"lang": "en", "n": {"$gt": 0}}
    )
    assert retriever.invoke(QUERY)


def sparse(parties: Parties) -> None:
    """A collection with the vectors of a sparse model, from all sides."""
    db, query = parties.owner, SPARSE.encode_query(QUERY)
    assert query.sparse is not None
    db.attach("articles", ["body"], SPARSE, schema="blog", name="weighed")
    db.sync("weighed", encoder=SPARSE)
    for group in ("passage", "document"):
        for filter in (None, parties.condition(db.table("weighed").c.n)):
            for stage in ("sparse", "fused"):
                found = parties.reader.search(
                    "weighed",
                    QUERY,
                    3,
                    filter=filter,
                    group=group,
                    stage=stage,
                    encoder=SPARSE,
                )
                assert found
    engine = parties.engine(parties.reader)
    with Session(engine) as session:
        chosen = pgencoder.select("weighed", QUERY, 3, stage="sparse", encoder=SPARSE, db=parties.reader)
        assert session.execute(chosen).all()
    engine.dispose()
    vector = db.vector_schema
    with psycopg.connect(parties.url(parties.reader), autocommit=True) as user:
        for fusion in (None, "sparse"):
            rows = user.execute(
                f"SELECT * FROM pgencoder.weighed_search(%s::{vector}.halfvec, %s::{vector}.halfvec[], fusion => %s,"
                f" query_sparse => %s::{vector}.sparsevec)".encode(),
                [_text(query.dense), _array(query.tokens), fusion, query.sparse.to_text()],
            )
            assert rows.fetchall()
    db.detach("weighed")


def repair(parties: Parties) -> None:
    with psycopg.connect(parties.url(parties.owner), autocommit=True) as user:
        user.execute("DROP TRIGGER pgencoder_articles_insert ON blog.articles")
        user.execute("ALTER TABLE blog.plain ALTER id TYPE int; GRANT SELECT ON pgencoder.articles_passages TO PUBLIC")
    assert "bigint to integer" in str(parties.owner.repair("plain"))
    assert "trigger" in str(parties.owner.repair("articles"))
    assert parties.owner.repair("notes")


def detach(parties: Parties) -> None:
    for name in NAMES:
        parties.owner.detach(name)


def measure(parties: Parties) -> None:
    """Run the benchmarks and the demo on a few rows."""
    db = parties.owner
    overhead.search(db, 3, 1)
    words_bench.words(db, passages=20, queries=1, exact=1, inserts=2, dims=8)
    backlog.backlog(db, backlog.PHASES * BATCH_ROWS, 2 * backlog.SINGLE)
    pairs_bench.pairs(db, 2 * pairs_bench.EVERY, methods=["exact"])
    with mock.patch.dict(rerank.SYNTHETIC_DOCUMENTS, {"halfvec": 3, "bit": 3}):
        rerank.rerank(db, None, queries=1)
    with TemporaryDirectory() as folder:
        (Path(folder) / "corpus.jsonl").write_text('{"_id": "1", "title": "red", "text": "green"}\n')
        beir.load_documents(db, beir.Dataset("tiny", {}, [], Path(folder)))
    with db.connection() as connection:
        table = demo.create_table(connection)
        demo.fill_table(connection, table, [("module", "name", "doc")])
    assert server.has_clients(db)  # the application


def end(parties: Parties) -> None:
    """Do what only the owner of a whole database does."""
    parties.owner.migrate(roles=True)
    parties.owner.migrate("base")


STEPS: tuple[Callable[[Parties], None], ...] = (
    attach,
    sync,
    write,
    work,
    search,
    search_in_sql,
    explain,
    pairs,
    select,
    generations,
    adopt,
    look,
    upkeep,
    migrate,
    alembic,
    script,
    fail,
    store,
    nodes,
    sparse,
    repair,
    search,
    detach,
)


def _text(vector: Any) -> str:
    return "[" + ",".join(map(str, vector)) + "]"


def _array(vectors: Any) -> str:
    return "{" + ",".join(f'"{_text(each)}"' for each in vectors) + "}"
