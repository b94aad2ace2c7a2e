"""Create the articles that retrievers search."""

from __future__ import annotations

import pytest

from pgencoder import Database
from tests.connections import Connection
from tests.encoder import WordEncoder


@pytest.fixture
def titled(connection: Connection, db: Database, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, title text, body text)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i % 2 = 0 THEN 'en' ELSE 'de' END, 'Title ' || i,"
        " 'replication lag of ' || i || ' seconds' FROM generate_series(1, 20) AS i"
    )
    db.attach("articles", ["title", "body"], words)
    db.sync("articles")
    return db
