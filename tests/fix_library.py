"""Create a library of a thousand articles."""

from __future__ import annotations

import pytest

from pgencoder import Database, Dims
from pgencoder.types import KernelName
from tests.adapters.library import WORDS, Base
from tests.connections import Connection
from tests.encoder import WordEncoder


@pytest.fixture
def words16() -> WordEncoder:
    return WordEncoder(Dims(16, 16))


@pytest.fixture
def library(connection: Connection, db: Database, words16: WordEncoder, kernel: KernelName) -> Database:
    """A thousand articles, one in a hundred of them rare."""
    Base.metadata.create_all(db.engine)
    connection.execute("INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(0, 9) AS i")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i %% 100 = 0 THEN 'rare' ELSE 'common' END,"
        " concat_ws(' ', w[1 + i %% 10], w[1 + i / 10 %% 10], w[1 + i / 100 %% 10], 'w' || i), i %% 10"
        " FROM generate_series(1, 1000) AS i, (SELECT %s::text[]) AS words (w)",
        [WORDS],
    )
    db.attach("articles", ["body"], words16)
    db.sync("articles")
    return db
