"""Authors, their books and articles as mapped classes, and what a search of them finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
)

from pgencoder import Database

QUERY = "red green"
WORDS = ["red", "green", "blue", "yellow", "black", "white", "purple", "orange", "brown", "pink"]


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("authors.id"))


class Article(Base):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


def find(db: Database, statement: sa.Executable) -> list[tuple[Any, ...]]:
    with Session(db.engine, expire_on_commit=False) as session:
        return [tuple(row) for row in session.execute(statement)]


def scored(rows: Sequence[tuple[Any, ...]]) -> list[tuple[int, float]]:
    return [(row[0].id, row[1]) for row in rows]


def ids(rows: Sequence[tuple[Any, ...]]) -> list[int]:
    return [row[0].id for row in rows]
