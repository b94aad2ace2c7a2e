"""Mapped classes say what of them is encoded, and have their passages."""

from __future__ import annotations

import uuid
from typing import Any, assert_type

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    aliased,
    joinedload,
    mapped_column,
    registry,
    relationship,
    selectinload,
)

import pgencoder
from pgencoder import Database, DenseEncoder, Dims
from pgencoder.errors import InvalidRequest
from pgencoder.sqlalchemy import Encoded, EncodedColumns, Passage, attach_all, passages_of, with_passage
from tests.adapters.declared import WORDS, Article, Base, Plain
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check


class Counter:
    """How many statements an engine runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self.count = 0
        event.listen(engine, "before_cursor_execute", self._add)

    def _add(self, *_: Any) -> None:
        self.count += 1


def test_passages_are_loaded_without_a_query_for_each(declared: Database, engine: sa.Engine) -> None:
    with Session(engine) as session:
        counter = Counter(engine)
        for load in (selectinload(Article.passages), joinedload(Article.passages)):
            counter.count = 0
            found = session.scalars(sa.select(Article).options(load).order_by(Article.id)).unique().all()
            numbers = [[passage.passage for passage in article.passages] for article in found]
            assert numbers == [[0, 1, 2], [0], [0]]
            assert counter.count <= 2
            session.expunge_all()
        article = session.get_one(Article, 1)
        first = article.passages[0]
        assert_type(first, Passage)
        assert_type(first.span, tuple[int, int])
        assert (first.content, first.span) == ("title 1 body of number 1", (0, 24))
        assert repr(article.passages[1]) == "<ArticlePassage 1 'part 1'>"
        longest = sa.select(Article).where(Article.passages.any(passages_of(Article).passage > 1))
        assert [each.id for each in session.scalars(longest)] == [1]


def test_a_search_with_the_passage_that_was_found(declared: Database, engine: sa.Engine) -> None:
    with Session(engine) as session:
        search = pgencoder.select(Article, "title 2", k=2)
        counter = Counter(engine)
        found = session.execute(with_passage(search).where(Article.id > 1)).all()
        assert counter.count == 1
        for article, score, passage in found:
            assert_type(passage, Passage)
            assert_type(score, float)
            assert passage.content == f"title {article.id} body of number {article.id}"
        assert [article.id for article, _, _ in found] == [2, 3]
        other = aliased(Article)
        first = session.execute(with_passage(pgencoder.select(other, "title 3", k=1))).one()
        assert (first[0].id, first[2].passage) == (3, 0)


@pytest.mark.asyncio
async def test_passages_in_an_async_session(declared: Database, url: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with AsyncSession(engine) as session:
        found = await session.scalars(sa.select(Article).options(selectinload(Article.passages)).order_by(Article.id))
        assert [len(article.passages) for article in found] == [3, 1, 1]
    await engine.dispose()


def test_passages_are_those_of_the_active_generation(declared: Database, engine: sa.Engine) -> None:
    other = WordEncoder(Dims(8, 8), "other")
    declared.reencode("articles", other)
    declared.sync("articles", encoder=other)
    declared.activate("articles")
    with Session(engine) as session:
        assert len(session.get_one(Article, 1).passages) == 1


def test_create_all_and_drop_all_leave_the_view_alone(declared: Database, engine: sa.Engine) -> None:
    assert set(Base.metadata.tables) == {"articles", "plain"}
    Base.metadata.create_all(engine)
    Base.metadata.drop_all(engine, tables=[Plain.__table__])  # type: ignore[list-item]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pgencoder.articles_passages").scalar() == 5


def test_composite_keys_schemas_names_that_are_taken_and_another_name(
    connection: Connection, db: Database, engine: sa.Engine
) -> None:
    class Other(DeclarativeBase):
        pass

    class Thing(Other):
        __tablename__ = "Odd %things"
        __table_args__ = {"schema": "My Shop"}  # noqa: RUF012
        __encoding__ = EncodedColumns(["words"], WORDS, name="things", passages="parts")
        content: Mapped[str] = mapped_column(primary_key=True)
        passage: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        words: Mapped[str] = mapped_column("the words")
        passages: Mapped[int] = mapped_column(default=7)

    connection.execute('CREATE SCHEMA "My Shop"')
    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Thing(content=f"c{i}", words=f"some words {i}") for i in range(3))
        session.commit()
        assert attach_all(Other, db).attached == ("things",)
        db.sync("things", encoder=WORDS)
        assert check(connection, db, "things", WORDS) == 3
        found = session.scalars(sa.select(Thing).options(selectinload(Thing.parts))).all()  # type: ignore[attr-defined]
        for thing in found:
            (part,) = thing.parts  # type: ignore[attr-defined]
            assert (part.content_key, part.passage_key, part.passage) == (thing.content, thing.passage, 0)
            assert (part.content, thing.passages) == (thing.words, 7)


def test_mixins_and_inheritance(connection: Connection, db: Database, engine: sa.Engine) -> None:
    class Other(DeclarativeBase):
        pass

    class Described:
        __encoding__ = EncodedColumns(["description"], WORDS)
        description: Mapped[str] = mapped_column(default="what it is")

    class Car(Described, Other):
        __tablename__ = "cars"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Boat(Described, Other):
        __tablename__ = "boats"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "boat"}  # noqa: RUF012

    class Ship(Boat):
        __mapper_args__ = {"polymorphic_identity": "ship"}  # noqa: RUF012

    class Tanker(Boat):
        __tablename__ = "tankers"
        __encoding__ = EncodedColumns(["cargo"], WORDS, passages="cargo_passages")
        __mapper_args__ = {"polymorphic_identity": "tanker"}  # noqa: RUF012
        id: Mapped[int] = mapped_column(sa.ForeignKey("boats.id"), primary_key=True)
        cargo: Mapped[str]

    with pytest.raises(InvalidRequest, match="names 'description', which is in the table 'boats' and not in 'barges'"):

        class Barge(Boat):
            __tablename__ = "barges"
            __encoding__ = EncodedColumns(["description"], WORDS, passages="barge_passages")
            __mapper_args__ = {"polymorphic_identity": "barge"}  # noqa: RUF012
            id: Mapped[int] = mapped_column(sa.ForeignKey("boats.id"), primary_key=True)

    Other.metadata.create_all(engine)
    assert set(attach_all(Other, db).attached) == {"boats", "cars", "tankers"}
    with Session(engine) as session:
        session.add_all([Car(id=1), Ship(id=1), Boat(id=2, description="small"), Tanker(id=3, cargo="oil")])
        session.commit()
        for name in ("boats", "cars", "tankers"):
            db.sync(name, encoder=WORDS)
        ship, tanker = session.get_one(Ship, 1), session.get_one(Tanker, 3)
        assert [each.content for each in ship.passages] == ["what it is"]  # type: ignore[attr-defined]
        assert [each.content for each in tanker.passages] == ["what it is"]  # type: ignore[attr-defined]
        assert [each.content for each in tanker.cargo_passages] == ["oil"]  # type: ignore[attr-defined]


def test_one_class_of_several_in_a_table(db: Database, engine: sa.Engine) -> None:
    """The collection is of the table; rows of the other classes have nothing to encode."""

    class Other(DeclarativeBase):
        pass

    class Animal(Other):
        __tablename__ = "animals"
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]

    class Bird(Encoded, Animal):
        __encoding__ = EncodedColumns(["song"], WORDS)
        __mapper_args__ = {"polymorphic_identity": "bird"}  # noqa: RUF012
        song: Mapped[str | None]

    Other.metadata.create_all(engine)
    assert attach_all(Other, db).attached == ("animals",)
    with Session(engine) as session:
        session.add_all([Animal(id=1), Bird(id=2, song="tweet tweet"), Bird(id=3, song="caw caw")])
        session.commit()
        assert db.sync("animals", encoder=WORDS).passages == 2
        found = session.execute(with_passage(pgencoder.select(Bird, "caw", k=5))).all()
        assert [(bird.id, passage.content) for bird, _, passage in found] == [(3, "caw caw"), (2, "tweet tweet")]
        assert [passage.content for passage in found[0][0].passages] == ["caw caw"]


def test_dataclasses_and_imperative_mappings(db: Database, engine: sa.Engine) -> None:
    class Other(MappedAsDataclass, DeclarativeBase):
        pass

    class Note(Other):
        __tablename__ = "notes"
        __encoding__ = EncodedColumns(["body"], WORDS)
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    class Page:
        __encoding__ = EncodedColumns(["body"], WORDS)

    mappers = registry()
    mappers.map_imperatively(
        Page,
        sa.Table("pages", mappers.metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.Text)),
    )
    Other.metadata.create_all(engine)
    mappers.metadata.create_all(engine)
    assert Note(1, "text").body == "text"
    assert attach_all(Other, db).attached == ("notes",)
    assert attach_all(mappers, db).attached == ("pages",)


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("title", "must be a pgencoder.sqlalchemy.EncodedColumns, got a str"),
        (["title"], "must be a pgencoder.sqlalchemy.EncodedColumns, got a list"),
        (EncodedColumns, "must be a pgencoder.sqlalchemy.EncodedColumns, got a type"),
        (EncodedColumns(["nothing"]), "names 'nothing', which is neither an attribute nor a column; there are: id,"),
        (EncodedColumns(["title"], passages="title"), "Wrong has 'title' already"),
        (EncodedColumns(["title"], name="x" * 41), "a collection's name has 1 to 40 bytes"),
    ],
)
def test_a_wrong_declaration_is_an_error_when_the_class_is_made(encoding: Any, message: str) -> None:
    class Other(DeclarativeBase):
        pass

    with pytest.raises(InvalidRequest, match=message):

        class Wrong(Other):
            __tablename__ = "wrong"
            __encoding__ = encoding
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]


@pytest.mark.parametrize("encoding", ["utf-8", None, 7])
def test_what_else_is_called_encoding_is_left_alone(encoding: Any) -> None:
    class Other(DeclarativeBase):
        pass

    class File(Other):
        __tablename__ = "files"
        __encoding__ = encoding
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

    with pytest.raises(InvalidRequest, match="is not a mapped class with an __encoding__"):
        passages_of(File)


def test_a_class_of_the_users_that_is_called_as_the_one_of_the_passages() -> None:
    class Other(DeclarativeBase):
        pass

    class ArticlePassage(Other):
        __tablename__ = "mine"
        id: Mapped[int] = mapped_column(primary_key=True)
        article_id: Mapped[int] = mapped_column(sa.ForeignKey("articles.id"))

    class Article(Encoded, Other):
        __tablename__ = "articles"
        __encoding__ = EncodedColumns(["title"], WORDS)
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        mine: Mapped[list[Any]] = relationship("ArticlePassage")

    Other.registry.configure()
    assert sa.inspect(Article).relationships["mine"].mapper.class_ is ArticlePassage
    assert sa.inspect(Article).relationships["passages"].mapper.class_ is passages_of(Article)


def test_with_passage_of_what_has_it_or_cannot() -> None:
    search = with_passage(pgencoder.select(Article, "title 2", encoder=WORDS))
    again: Any = search
    assert with_passage(again) is again
    with pytest.raises(InvalidRequest, match="with_passage takes a search of a mapped class"):
        with_passage(pgencoder.select(Article.__table__, "title 2", encoder=WORDS))


@pytest.mark.parametrize(
    "options",
    [{"columns": "title"}, {"columns": []}, {"tokens": "byte"}, {"chunking": "none"}],
)
def test_a_wrong_encoding_is_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        EncodedColumns(**({"columns": ["a"]} | options))


def test_dense_vectors_only(db: Database, engine: sa.Engine) -> None:
    encoder = DenseEncoder(lambda texts: [[len(text), text.count("e") + 1] for text in texts], name="counts", dims=2)

    class Other(DeclarativeBase):
        pass

    class Note(Encoded, Other):
        __tablename__ = "notes"
        __encoding__ = EncodedColumns(["body"], encoder)
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    Other.metadata.create_all(engine)
    attach_all(Other, db)
    assert attach_all(Other, db).unchanged == ("notes",)
    assert db.collection("notes").generation.token_type == "none"
    with Session(engine) as session:
        session.add_all([Note(id=1, body="aaa"), Note(id=2, body="eee")])
        session.commit()
        db.sync("notes", encoder=encoder)
        found = session.execute(with_passage(pgencoder.select(Note, "bee", k=2))).all()
        assert [passage.content for _, _, passage in found] == ["eee", "aaa"]


def test_a_name_that_is_used_twice(db: Database) -> None:
    class Other(DeclarativeBase):
        pass

    kept = [  # mappers are let go with their classes
        type(
            f"Thing{number}",
            (Other,),
            {
                "__tablename__": f"things_{number}",
                "__encoding__": EncodedColumns(["body"], WORDS, name="things"),
                "id": mapped_column(sa.Integer, primary_key=True),
                "body": mapped_column(sa.Text),
            },
        )
        for number in (1, 2)
    ]
    assert len(kept) == 2
    with pytest.raises(InvalidRequest, match="two classes declare a collection 'things'"):
        attach_all(Other, db)


def test_connect_takes_engines_of_any_driver(url: str, declared: Database) -> None:
    passwordless = sa.make_url(url)
    asynchronous = create_async_engine(
        passwordless.set(drivername="postgresql+asyncpg").update_query_dict({"prepared_statement_cache_size": "0"})
    )
    for engine in (sa.create_engine(passwordless.set(drivername="postgresql+psycopg")), asynchronous):
        with pgencoder.connect(engine) as db:
            assert [hit.key for hit in db.search("articles", "title 2", k=1, encoder=WORDS)] == [2]
            assert db.engine is not engine
    secret = sa.make_url("postgresql+asyncpg://me:p%40ss@host:1/db?ssl=true&command_timeout=3&host=other")
    made = pgencoder.connect(secret).engine.url
    assert made.render_as_string(False) == "postgresql+psycopg://me:p%40ss@host:1/db?host=other&sslmode=require"
    plain = "postgresql+psycopg://me@host/db?application_name=x"
    assert pgencoder.connect(plain).engine.url.render_as_string(False) == plain
