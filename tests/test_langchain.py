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

from .conftest import Connection
from .encoder import WordEncoder


class TestStoreOfAnEmbedding(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, db: Database) -> VectorStore:
        return PgencoderVectorStore.create(db, "Documents %s", self.get_embeddings())


class TestStoreWithMaxSim(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, db: Database, words: WordEncoder) -> VectorStore:
        return PgencoderVectorStore.create(db, "documents", encoder=words)


@pytest.fixture
def articles(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, title text, body text)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i % 2 = 0 THEN 'en' ELSE 'de' END, 'Title ' || i,"
        " 'replication lag of ' || i || ' seconds' FROM generate_series(1, 20) AS i"
    )
    db.attach("articles", ["title", "body"], words)
    db.sync("articles")
    return db


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _articles(self, articles: Database) -> None:
        self.db = articles

    @property
    def retriever_constructor(self) -> type[PgencoderRetriever]:
        return PgencoderRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"db": self.db, "collection": "articles"}

    @property
    def retriever_query_example(self) -> str:
        return "replication lag of 7 seconds"


def test_documents_of_the_retriever(articles: Database) -> None:
    retriever = PgencoderRetriever(db=articles, collection="articles", k=2, metadata_columns=["title", "lang"])
    first, _ = retriever.invoke("replication lag of 7 seconds")
    hit = articles.search("articles", "replication lag of 7 seconds", k=1)[0]
    assert first.page_content == "Title 7 replication lag of 7 seconds"
    assert first.id == "articles/7/0"
    assert first.metadata == {
        "collection": "articles", "key": 7, "passage": 0, "span": (0, 36), "score": hit.score,
        "title": "Title 7", "lang": "de"}  # fmt: skip
    english = articles.table("articles").c.lang == "en"
    found = retriever.invoke("replication lag of 7 seconds", k=20, filter=english)
    assert len(found) == 10
    assert {document.metadata["lang"] for document in found} == {"en"}
    assert retriever.invoke("replication", filter=sa.false()) == []


def test_columns_of_the_retriever_are_read_at_once(articles: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[Any] = []

    class Counting(psycopg.RawCursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            statements.append(query)
            return super().execute(query, *args, **options)

    monkeypatch.setattr(psycopg, "RawCursor", Counting)
    retriever = PgencoderRetriever(db=articles, collection="articles", k=20, metadata_columns=["title"])
    assert len(retriever.invoke("replication")) == 20
    assert len(statements) == 1


def test_what_the_retriever_cannot_do(articles: Database) -> None:
    def retrieve(**arguments: Any) -> None:
        PgencoderRetriever(db=articles, collection="articles", **arguments).invoke("replication")

    with pytest.raises(InvalidRequest, match="metadata has a 'score' of its own"):
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
        PgencoderRetriever(db=articles, collection="nothing").invoke("replication")
