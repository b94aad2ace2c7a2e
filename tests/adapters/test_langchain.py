"""The LangChain retriever and vector store, by LangChain's own suites and beyond them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests
from pydantic import ValidationError

from pgencoder import Database
from pgencoder.errors import InvalidRequest, InvalidSource, UnknownCollection
from pgencoder.integrations.langchain import PgencoderRetriever, PgencoderVectorStore
from tests.connections import Connection
from tests.encoder import WordEncoder


class TestStoreOfAnEmbedding(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, db: Database) -> VectorStore:
        return PgencoderVectorStore.create(db, "Documents %s", self.get_embeddings())


class TestStoreWithMaxSim(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, db: Database, words: WordEncoder) -> VectorStore:
        return PgencoderVectorStore.create(db, "documents", encoder=words)


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _articles(self, titled: Database) -> None:
        self.db = titled

    @property
    def retriever_constructor(self) -> type[PgencoderRetriever]:
        return PgencoderRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"db": self.db, "collection": "articles"}

    @property
    def retriever_query_example(self) -> str:
        return "replication lag of 7 seconds"


def test_documents_of_the_retriever(titled: Database) -> None:
    retriever = PgencoderRetriever(db=titled, collection="articles", k=2, metadata_columns=["title", "lang"])
    first, _ = retriever.invoke("replication lag of 7 seconds")
    hit = titled.search("articles", "replication lag of 7 seconds", k=1)[0]
    assert first.page_content == "Title 7 replication lag of 7 seconds"
    assert first.id == "articles/7/0"
    assert first.metadata == {
        "collection": "articles", "key": 7, "passage": 0, "span": (0, 36), "score": hit.score,
        "title": "Title 7", "lang": "de"}  # fmt: skip
    english = titled.table("articles").c.lang == "en"
    found = retriever.invoke("replication lag of 7 seconds", k=20, filter=english)
    assert len(found) == 10
    assert {document.metadata["lang"] for document in found} == {"en"}
    assert retriever.invoke("replication", filter=sa.false()) == []


ON_ARTICLES: list[tuple[Any, Any]] = [
    ({"lang": "en"}, 10),
    ({"lang": {"$ne": "en"}, "id": {"$lte": 5}}, 3),
    ({"id": {"$between": [3, 5]}}, 3),
    ({"$or": [{"id": 1}, {"title": {"$like": "Title 2_"}}]}, 2),
    ({"id": {"$in": [1, 2, "3"]}}, 2),
    ({"lang": 1}, 0),
    ({}, 20),
    ({"title": {"$exists": True}}, 20),
]  # fmt: skip


def test_filters_of_the_retriever(titled: Database) -> None:
    none = PgencoderRetriever(db=titled, collection="articles", k=20, filter={"id": 0})
    for filter, expected in ON_ARTICLES:
        retriever = PgencoderRetriever(db=titled, collection="articles", k=20, filter=filter)
        assert len(retriever.invoke("replication")) == expected, filter
        assert len(none.invoke("replication", filter=filter)) == expected, filter


async def test_a_filter_of_the_retriever_awaited(titled: Database) -> None:
    retriever = PgencoderRetriever(db=titled, collection="articles", candidates=1, metadata_columns=["id"])
    (found,) = await retriever.ainvoke("replication lag of 7 seconds", k=3, filter={"id": {"$eq": 9}})
    assert found.metadata["id"] == 9


@pytest.fixture
def typed(connection: Connection, db: Database, words: WordEncoder) -> PgencoderRetriever:
    """A table of columns of many types: a row with values, and one of NULLs."""
    connection.execute(
        """
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TYPE mood AS ENUM ('happy', 'sad');
        CREATE TYPE pair AS (x int, y int);
        CREATE TABLE fired (n int);
        CREATE FUNCTION trap(pair) RETURNS json LANGUAGE sql VOLATILE AS
            'INSERT INTO public.fired VALUES (1) RETURNING ''"trap"''::json';
        CREATE CAST (pair AS json) WITH FUNCTION trap(pair);
        CREATE TABLE typed ("the.id" int PRIMARY KEY, body text, size positive, price numeric, ratio float8, day date,
            at timestamp, key uuid, mood mood, two pair, pairs pair[], tags text[], facts jsonb,
            old json, "Ü %s" bool);
        INSERT INTO typed VALUES (1, 'red', 5, 1.50, 'NaN', '2024-02-29', '2024-02-29 12:00',
            '12345678-1234-5678-1234-567812345678', 'happy', (1, 2), '{"(1,2)"}', '{a,b}',
            '{"a": {"b": 1}, "a.c": "x"}', '{"a": 1}', true);
        INSERT INTO typed ("the.id", body) VALUES (2, 'red');
        """
    )
    db.attach("typed", ["body"], words)
    db.sync("typed")
    return PgencoderRetriever(db=db, collection="typed", metadata_columns=["the.id"])


ON_TYPES: list[tuple[Any, Any]] = [
    ({"the.id": {"$gte": 1}}, [1, 2]),
    ({"size": 5}, [1]),
    ({"size": {"$lt": 5}}, []),
    ({"price": {"$eq": 1.5}}, [1]),
    ({"ratio": {"$gt": 0}}, []),
    ({"ratio": "NaN"}, [1]),
    ({"day": {"$gte": "2024-02-01", "$lt": "2024-03-01"}}, [1]),
    ({"at": "2024-02-29T12:00:00"}, [1]),
    ({"key": "12345678-1234-5678-1234-567812345678"}, [1]),
    ({"mood": {"$in": ["happy"]}}, [1]),
    ({"two": "(1,2)"}, [1]),
    ({"pairs": {"$like": '{"(1,2)"}'}}, [1]),
    ({"tags": ["b"]}, [1]),
    ({"facts": {"a": {"b": 1}}}, [1]),
    ({"facts.a.b": {"$gt": 0}}, [1]),
    ({"facts.a.c": "x"}, [1]),
    ({"facts": {"a": {"b": {"$gt": 0}}}}, [1]),
    ({"facts.z": {"$exists": False}}, [1, 2]),
    ({"old.a": 1}, [1]),
    ({"old": {"a": 1}}, [1]),
    ({"Ü %s": True}, [1]),
    # NULL is None, and is not there
    ({"Ü %s": None}, [2]),
    ({"mood": None}, [2]),
    ({"two": {"$exists": False}}, [2]),
    ({"facts": {"$exists": True}}, [1]),
    ({"price": {"$ne": 1.5}}, [2]),
    ({"price": {"$nin": [None, 1.5]}}, []),
]  # fmt: skip


def test_filters_on_columns_of_many_types(connection: Connection, typed: PgencoderRetriever) -> None:
    for filter, expected in ON_TYPES:
        assert sorted(each.metadata["the.id"] for each in typed.invoke("red", filter=filter)) == expected, filter
    # a cast to json that the owner of the type has made does not run as whoever searches
    assert connection.execute("SELECT count(*) FROM fired").fetchone() == (0,)


def test_filters_that_the_retriever_refuses(typed: PgencoderRetriever) -> None:
    for name, said in [
        ("nothing", "the table 'typed' has no column 'nothing'; its columns: the.id, body, size"),
        ("facts2.a", "has no json column 'facts2'"), ("mood.x", "has no json column 'mood'"),
        ("ctid", "no column 'ctid'")]:  # fmt: skip
        with pytest.raises(InvalidRequest, match=said):
            typed.invoke("red", filter={name: 1})
    with pytest.raises(InvalidRequest, match=r"there is no operator '\$foo'; operators under a key: \$eq"):
        typed.invoke("red", filter={"size": {"$foo": 1}})
    with pytest.raises(InvalidRequest, match="the database refuses this"):
        typed.invoke("red", filter={"body": "\0"})
    with pytest.raises(InvalidRequest, match="filter must be a SQLAlchemy expression"):
        typed.invoke("red", filter=["size"])


def test_columns_of_the_retriever_are_read_at_once(titled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[Any] = []

    class Counting(psycopg.RawCursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            if b"wanted" in query:
                statements.append(query)
            return super().execute(query, *args, **options)

    monkeypatch.setattr(psycopg, "RawCursor", Counting)
    retriever = PgencoderRetriever(db=titled, collection="articles", k=20, metadata_columns=["title"])
    assert len(retriever.invoke("replication")) == 20
    assert len(statements) == 1


def test_what_the_retriever_cannot_do(titled: Database) -> None:
    def retrieve(**arguments: Any) -> None:
        PgencoderRetriever(db=titled, collection="articles", **arguments).invoke("replication")

    with pytest.raises(InvalidRequest, match="the metadata always has 'score'"):
        retrieve(metadata_columns=["score"])
    with pytest.raises(ValidationError, match="metadata_columns"):
        retrieve(metadata_columns="title")
    with pytest.raises(InvalidSource, match=r"table 'articles': column source\.nothing does not exist"):
        retrieve(metadata_columns=["nothing"])
    with pytest.raises(InvalidRequest, match="k must be an integer"):
        retrieve(k=0)
    with pytest.raises(ValidationError, match="instance of Database"):
        PgencoderRetriever(db="postgresql://", collection="articles")  # type: ignore[arg-type]
    with pytest.raises(UnknownCollection, match="no collection 'nothing'"):
        PgencoderRetriever(db=titled, collection="nothing").invoke("replication")
