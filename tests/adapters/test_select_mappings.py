"""Searches of classes and tables of every kind."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
)

import pgencoder
from pgencoder import Database
from pgencoder.sqlalchemy import EncodedColumns
from tests.adapters.library import find, ids
from tests.connections import Connection
from tests.encoder import WordEncoder


class Base(DeclarativeBase):
    pass


def test_tables_of_the_same_name_in_two_schemas(connection: Connection, db: Database, words16: WordEncoder) -> None:
    connection.execute("CREATE SCHEMA blog")
    here, there = (sa.Table("texts", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
                            sa.Column("body", sa.Text), schema=schema) for schema in (None, "blog"))  # fmt: skip
    for table, word in ((here, "here"), (there, "there")):
        table.create(db.engine)
        with db.engine.begin() as each:
            each.execute(sa.insert(table), [{"id": i, "body": f"{word} w{i}"} for i in range(20)])
    db.attach("texts", ["body"], words16)
    db.attach("texts", ["body"], words16, schema="blog", name="blog_texts")
    for name in ("texts", "blog_texts"):
        db.sync(name)
    with pytest.raises(sa.exc.DBAPIError, match=r'the collection texts has .*"public.*"blog'):
        find(db, pgencoder.select(there, "there w3", encoder=words16))
    for search in (
        pgencoder.select(there, "there w3", encoder=words16, collection="blog_texts"),
        pgencoder.select(there, "there w3", db=db),
    ):
        with db.engine.connect() as each:
            assert each.execute(search).first()[0] == 3  # type: ignore[index]
            assert len(each.execute(search).all()) == 10
    # an application that calls the schema otherwise
    tenant = sa.Table("texts", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), schema="tenant")
    search = pgencoder.select(tenant, "there w3", encoder=words16, collection="blog_texts")
    with db.engine.connect().execution_options(schema_translate_map={"tenant": "blog"}) as each:
        assert each.execute(search).first()[0] == 3  # type: ignore[index]


class Named(Base):
    __tablename__ = "odd 100%"
    __table_args__ = {"schema": "blog"}  # noqa: RUF012
    passage: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column('the "no"', primary_key=True)
    text_: Mapped[str] = mapped_column("body %")


class Animal(Base):
    __tablename__ = "animals"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    body: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012


class Cat(Animal):
    __mapper_args__ = {"polymorphic_identity": "cat"}  # noqa: RUF012


class Dog(Animal):
    __tablename__ = "dogs"
    animal: Mapped[int] = mapped_column("animal_id", sa.ForeignKey("animals.id"), primary_key=True)
    story: Mapped[str]
    __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012


def test_names_of_every_kind(connection: Connection, db: Database, words16: WordEncoder) -> None:
    connection.execute("CREATE SCHEMA blog")
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all([Named(passage=f"p{i % 3}", number=i, text_=f"red w{i}") for i in range(30)])
        session.commit()
    db.attach("odd 100%", ["body %"], words16, schema="blog")
    db.sync("odd 100%")
    found = find(db, pgencoder.select(Named, "red w7", 3, encoder=words16).where(Named.passage == "p1"))
    assert [row[0].number for row in found][:1] == [7]
    assert {row[0].passage for row in found} == {"p1"}
    by_name = find(db, pgencoder.select("odd 100%", "red w7", 3, db=db).where(Named.number == 7))
    assert [row[:2] for row in by_name] == [("p1", 7)]


def test_inheritance(connection: Connection, db: Database, words16: WordEncoder) -> None:
    connection.execute("CREATE SCHEMA blog")
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all([Animal(id=i, body=f"red w{i}") for i in range(300)])
        session.add_all([Cat(id=i, body=f"blue w{i}") for i in range(300, 305)])
        session.add_all([Dog(id=i, body="pink", story=f"green w{i}") for i in range(305, 320)])
        session.commit()
    for table, column in (("animals", "body"), ("dogs", "story")):
        db.attach(table, [column], words16)
        db.sync(table)
    # the condition that makes a cat of an animal is inside the recall too
    cats = find(db, pgencoder.select(Cat, "red w7", 5, candidates=5, encoder=words16))
    assert sorted(ids(cats)) == list(range(300, 305))
    dogs = find(db, pgencoder.select(Dog, "green w310", 3, encoder=words16).where(Dog.body == "pink", Dog.id > 307))
    assert ids(dogs)[0] == 310
    assert len(dogs) == 3


def test_a_class_searches_what_the_class_above_it_declares(
    connection: Connection, db: Database, words16: WordEncoder
) -> None:
    class Own(DeclarativeBase):
        pass

    class Beast(Own):
        __tablename__ = "beasts"
        __encoding__ = EncodedColumns(columns=["body"], model=words16)
        number: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        body: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "beast"}  # noqa: RUF012

    class Horse(Beast):
        __tablename__ = "horses"
        horse: Mapped[int] = mapped_column("horse_id", sa.ForeignKey("beasts.number"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "horse"}  # noqa: RUF012

    Own.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all([Beast(number=i, body=f"red w{i}") for i in range(300)])
        session.add_all([Horse(number=i, body=f"blue w{i}") for i in range(300, 306)])
        session.commit()
    assert pgencoder.attach_all(Own, db.engine).attached == ("beasts",)
    db.sync("beasts", encoder=words16)
    found = find(db, pgencoder.select(Horse, "red blue", 5, candidates=5))
    assert {type(row[0]) for row in found} == {Horse}
    assert len(found) == 5
    assert len(find(db, pgencoder.select("beasts", "red", 3))) == 3  # attach_all has opened no other database
