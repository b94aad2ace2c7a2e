"""`attach_all` makes what mapped classes declare."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    mapped_column,
)

import pgencoder
from pgencoder import Database, Dims
from pgencoder.db.locks import lock_collection
from pgencoder.errors import CollectionExists, InvalidRequest
from pgencoder.sqlalchemy import AttachReport, EncodedColumns, attach_all
from tests import checkpoints
from tests.adapters.declared import WORDS, Article, Base, Plain
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check


def test_attach_all_makes_what_is_missing_and_a_second_time_nothing(
    connection: Connection, db: Database, engine: sa.Engine
) -> None:
    Base.metadata.create_all(engine)
    connection.execute("INSERT INTO articles VALUES (1, 'one', 'body')")
    connection.execute("CREATE TABLE other (id int PRIMARY KEY, body text)")
    db.attach("other", ["body"], WORDS)
    report = pgencoder.attach_all(Base, engine)
    assert (report.attached, report.unchanged, report.undeclared, report.changed) == (
        ("articles",), (), ("other",), True)  # fmt: skip
    assert db.collection("articles").columns == ("title", "body")
    db.sync("articles", encoder=WORDS)
    assert check(connection, db, "articles", WORDS) == 1
    again = attach_all(Base, engine)
    assert (again.attached, again.unchanged, again.undeclared, again.changed) == ((), ("articles",), ("other",), False)


def test_attach_all_takes_bases_registries_classes_and_any_database(url: str, db: Database, engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    assert attach_all([Article], url).attached == ("articles",)
    for classes in (Base, Base.registry, [Article, Plain], (each for each in [Article])):
        assert attach_all(classes, db).unchanged == ("articles",)
    asynchronous = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    assert attach_all(Base, asynchronous).unchanged == ("articles",)
    assert attach_all(Base, sa.make_url(url)).unchanged == ("articles",)
    with pytest.raises(InvalidRequest, match="is not a mapped class"):
        attach_all([int], db)
    with pytest.raises(InvalidRequest, match="int is not a declarative base"):
        attach_all(int, db)  # type: ignore[arg-type]


def test_another_model_begins_the_next_generation(connection: Connection, db: Database, engine: sa.Engine) -> None:
    def base(encoder: WordEncoder, **options: Any) -> type[DeclarativeBase]:
        class Other(DeclarativeBase):
            pass

        class Article(Other):
            __tablename__ = "articles"
            __encoding__ = EncodedColumns(["title", "body"], encoder, **options)
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]
            body: Mapped[str]

        return Other

    first, second, third = WordEncoder(), WordEncoder(Dims(16, 8), "second"), WordEncoder(Dims(16, 8), "third")
    base(first).metadata.create_all(engine)
    connection.execute("INSERT INTO articles VALUES (1, 'one', 'body')")
    attach_all(base(first), db)
    db.sync("articles", encoder=first)
    report = attach_all(base(second), db)
    assert [(each.number, each.state) for each in report.begun] == [(2, "building")]
    assert db.search("articles", "one", encoder=first)[0].key == 1
    assert [each.number for each in attach_all(base(second), db).building] == [2]
    assert attach_all(base(first), db).unchanged == ("articles",)
    assert [(each.number, each.encoder["model"]) for each in attach_all(base(third), db).begun] == [(3, "third")]
    assert [each.state for each in db.collection("articles").generations] == ["active", "building"]
    assert [each.encoder["model"] for each in attach_all(base(second), db).begun] == ["second"]
    db.sync("articles", encoder=second)
    db.activate("articles")
    assert attach_all(base(second), db).unchanged == ("articles",)
    assert [each.number for each in attach_all(base(first), db).activated] == [1]
    assert db.search("articles", "one", encoder=first)[0].key == 1
    assert [each.number for each in attach_all(base(first, tokens="halfvec"), db).begun] == [5]
    db.drop("articles", 5)
    assert [each.number for each in attach_all(base(first, chunking="truncate"), db).begun] == [5]


def test_several_processes_at_once(connection: Connection, db: Database, url: str) -> None:
    def note(encoder: WordEncoder) -> type[Any]:
        class Other(DeclarativeBase):
            pass

        class Note(Other):
            __tablename__ = "notes"
            __encoding__ = EncodedColumns(["body"], encoder)
            id: Mapped[int] = mapped_column(primary_key=True)
            body: Mapped[str]

        return Note

    first, second = (note(WordEncoder(Dims(8, 8), name)) for name in ("first", "second"))

    def at_once(declared: type[Any]) -> list[AttachReport]:
        """All have seen what is there before the first may change it."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with ThreadPoolExecutor(4) as pool:
            with connection.transaction():
                lock_collection(connection, "notes")
                reports = [pool.submit(attach_all, [declared], url) for _ in range(4)]
                deadline = time.monotonic() + 20
                while value(connection, waiting) != 4 and time.monotonic() < deadline:
                    connection.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
            return [each.result() for each in reports]

    first.metadata.create_all(db.engine)
    attach_all([first], db)
    db.sync("notes", encoder=WordEncoder(Dims(8, 8), "first"))
    reports = at_once(second)
    assert sorted(len(each.begun) for each in reports) == [0, 0, 0, 1]
    assert {each.number for report in reports for each in report.begun + report.building} == {2}
    db.sync("notes", encoder=WordEncoder(Dims(8, 8), "second"))
    db.activate("notes")
    reports = at_once(first)
    assert sorted(len(each.activated) for each in reports) == [0, 0, 0, 1]
    assert sorted(each.unchanged for each in reports) == [(), *[("notes",)] * 3]


def test_other_columns_are_refused_before_anything_is_done(connection: Connection, db: Database) -> None:
    class Other(DeclarativeBase):
        pass

    class Article(Other):
        __tablename__ = "articles"
        __encoding__ = EncodedColumns(["title"], WORDS)
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        body: Mapped[str]

    class New(Other):
        __tablename__ = "a_new_one"
        __encoding__ = EncodedColumns(["title"], WORDS)
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

    Other.metadata.create_all(db.engine)
    db.attach("articles", ["title", "body"], WORDS)
    with pytest.raises(
        CollectionExists, match=r"is of public.articles \(title, body\), and a class declares public.articles"
    ):
        attach_all(Other, db)
    assert [each.name for each in db.collections()] == ["articles"]
    db.detach("articles")
    connection.execute("CREATE SCHEMA blog; CREATE TABLE blog.articles (id int PRIMARY KEY, title text)")
    db.attach("articles", ["title"], WORDS, schema="blog")
    with pytest.raises(CollectionExists, match=r"is of blog.articles \(title\), and a class declares public.articles"):
        attach_all(Other, db)


def test_models_by_name_are_compared_without_loading_them(
    connection: Connection, db: Database, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, same, other = (checkpoints.sbert(tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))

    def base(model: Path) -> type[DeclarativeBase]:
        class Other(DeclarativeBase):
            pass

        class Note(Other):
            __tablename__ = "notes"
            __encoding__ = EncodedColumns(["body"], str(model))
            id: Mapped[int] = mapped_column(primary_key=True)
            body: Mapped[str]

        return Other

    base(one).metadata.create_all(engine)
    connection.execute("INSERT INTO notes VALUES (1, 'rows in pages')")
    assert attach_all(base(one), db).attached == ("notes",)
    assert attach_all(base(same), db).unchanged == ("notes",), "the same weights from another directory"
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("pgencoder.encoders.shared", None)
        assert attach_all(base(one.relative_to(tmp_path)), db).unchanged == ("notes",)
    assert [each.number for each in attach_all(base(other), db).begun] == [2]
