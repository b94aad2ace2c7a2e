"""The LangChain retriever and vector store, by LangChain's own suites and beyond them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from pgencoder import Database
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
