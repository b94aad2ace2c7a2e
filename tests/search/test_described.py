"""A search goes by the description of its collection that an earlier one read, and notices where that has changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pgencoder
from pgencoder import Database, Dims
from pgencoder.errors import InvalidRequest, UnknownCollection
from tests.connections import Connection
from tests.encoder import WordEncoder

WORDS, OTHER = WordEncoder(), WordEncoder(Dims(8, 8), "other")


@pytest.fixture
def searching(connection: Connection, db: Database, url: str) -> Database:
    """A database that has searched, in which `db` then changes something."""
    connection.execute("CREATE TABLE articles (id int, part int DEFAULT 1, body text, PRIMARY KEY (id))")
    connection.execute("INSERT INTO articles SELECT i, 1, 'number ' || i FROM generate_series(1, 30) AS i")
    connection.execute("CREATE TABLE notes AS SELECT * FROM articles; ALTER TABLE notes ADD PRIMARY KEY (id)")
    db.attach("articles", ["body"], WORDS)
    db.sync("articles")
    other = pgencoder.connect(url)
    for encoder in (WORDS, OTHER):  # as if it had used both
        other._encoders.remember(encoder)
    assert other.search("articles", "number 7", 3)[0].key == 7
    return other


def attach_again(db: Database, table: str = "articles", columns: str = "body", encoder: WordEncoder = WORDS) -> None:
    db.detach("articles")
    db.attach(table, [columns], encoder, name="articles")
    db.sync("articles")


def another_encoder(connection: Connection, db: Database) -> None:
    db.reencode("articles", OTHER)
    db.sync("articles")
    db.activate("articles")


def another_and_back(connection: Connection, db: Database) -> None:
    another_encoder(connection, db)
    db.rollback("articles")


def dropped(connection: Connection, db: Database) -> None:
    another_encoder(connection, db)
    db.drop("articles", 1)


def dense_only(connection: Connection, db: Database) -> None:
    db.reencode("articles", tokens="none")
    db.sync("articles")
    db.activate("articles")


def another_table(connection: Connection, db: Database) -> None:
    connection.execute("UPDATE notes SET body = 'number ' || -id, id = id + 100")
    attach_again(db, "notes")


def another_key(connection: Connection, db: Database) -> None:
    db.detach("articles")
    connection.execute("ALTER TABLE articles DROP CONSTRAINT articles_pkey, ADD PRIMARY KEY (id, part)")
    db.attach("articles", ["body"], WORDS)
    db.sync("articles")


def made_again(connection: Connection, db: Database) -> None:
    attach_again(db, encoder=OTHER)


@pytest.mark.parametrize(
    "change",
    [another_encoder, another_and_back, dropped, dense_only, another_table, another_key, made_again],
)
def test_what_another_process_has_changed_is_noticed(
    connection: Connection,
    db: Database,
    searching: Database,
    url: str,
    change: Callable[[Connection, Database], None],
) -> None:
    change(connection, db)
    with pgencoder.connect(url) as fresh:
        for encoder in (WORDS, OTHER):
            fresh._encoders.remember(encoder)
        expected = fresh.search("articles", "number 7", 30)
    assert searching.search("articles", "number 7", 30) == expected
    assert len(expected) == 30
    searching.close()


def test_a_stage_that_was_not_there_before(connection: Connection, db: Database, searching: Database) -> None:
    dense_only(connection, db)
    searching.search("articles", "number 7")
    with pytest.raises(InvalidRequest, match="no token vectors"):
        searching.search("articles", "number 7", stage="maxsim")
    searching.search("articles", "number 7")
    db.rollback("articles")
    assert searching.search("articles", "number 7", stage="maxsim")[0].score == pytest.approx(2, abs=0.1)
    searching.close()


def test_a_collection_that_is_gone(connection: Connection, db: Database, searching: Database) -> None:
    db.detach("articles")
    with pytest.raises(UnknownCollection, match="no collection 'articles'"):
        searching.search("articles", "number 7")
    searching.close()


def test_the_catalogue_is_read_once(searching: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(name: str) -> None:
        raise AssertionError(f"{name} was described before")

    monkeypatch.setattr(searching, "collection", read)
    assert [searching.search("articles", f"number {i}", 1)[0].key for i in (3, 4, 5)] == [3, 4, 5]
    searching.close()
