"""A mapped class that declares an encoding, and one that does not."""

from __future__ import annotations

from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    mapped_column,
)

from pgencoder.sqlalchemy import Encoded, EncodedColumns
from tests.encoder import WordEncoder

WORDS = WordEncoder()


class Base(DeclarativeBase):
    pass


class Article(Encoded, Base):
    __tablename__ = "articles"
    __encoding__ = EncodedColumns(columns=["title", "text"], model=WORDS)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str] = mapped_column("body")


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)
