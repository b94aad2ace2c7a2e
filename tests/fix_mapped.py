"""Create the tables of mapped classes and encode their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import (
    Session,
)

from pgencoder import Database
from pgencoder.sqlalchemy import attach_all
from tests.adapters.declared import WORDS, Article, Base


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


@pytest.fixture
def declared(engine: sa.Engine, db: Database) -> Database:
    """Three articles, attached and encoded, the first in three passages."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Article(id=i, title=f"title {i}", text=f"body of number {i}") for i in range(1, 4))
        session.commit()
    attach_all(Base, db)
    db.sync("articles", encoder=WORDS)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO pgencoder.articles_1 SELECT id, n, int4range(n, n + 5), 'part ' || n, content_hash, truncated,"
            " dense, lexical, lexical_terms, tokens, row_hash"
            " FROM pgencoder.articles_1 CROSS JOIN generate_series(1, 2) AS n WHERE id = 1"
        )
    return db
