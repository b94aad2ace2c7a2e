"""Set up a collection for a second generation."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pgencoder import Database, Dims
from tests.connections import Connection
from tests.encoder import WordEncoder


@pytest.fixture
def new_words() -> WordEncoder:
    return WordEncoder(Dims(24, 8), "new words")


@pytest.fixture
def fifty_articles(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 50) AS i")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    return connection


@pytest.fixture
def other_session(url: str) -> Iterator[Connection]:
    """A second session, an application's."""
    with psycopg.connect(url, autocommit=True) as session:
        yield session
