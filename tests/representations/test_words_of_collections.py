"""Words as an option of a collection: how it is given and changed, and that nothing of it is lost or left behind."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pgencoder import Database, attach_all, errors, select
from pgencoder.sqlalchemy import EncodedColumns
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute(
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "INSERT INTO notes VALUES (1, 'running tables'), (2, 'ERR_42 again'), (3, 'nothing')"
    )
    return connection


def keys(db: Database, query: str) -> list[Any]:
    return [hit.key for hit in db.search("notes", query, stage="lexical", encoder=WordEncoder())]


def left(connection: Connection) -> set[str]:
    """What the schema has of the collection."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relname LIKE 'notes%'"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace AND proname LIKE 'notes%'"
    )
    return {name for (name,) in rows}


def test_the_configuration_decides_what_is_a_word(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words, lexical="english")
    db.sync("notes")
    assert db.collection("notes").generation.lexical == "english"
    assert keys(db, "run table") == [1]
    db.reencode("notes", words, lexical="simple")
    db.sync("notes")
    assert db.activate("notes").lexical == "simple"
    assert keys(db, "run table") == []
    assert keys(db, "running") == [1]
    db.reencode("notes", WordEncoder(name="second"))
    db.sync("notes")
    assert db.activate("notes").lexical == "simple"  # it stays
    db.reencode("notes", words, lexical="none")
    db.sync("notes")
    assert db.activate("notes").lexical == "none"
    with pytest.raises(errors.InvalidRequest, match="--lexical"):
        keys(db, "running")
    db.detach("notes")
    assert left(notes) == set()


def test_the_default_is_that_of_the_server(notes: Connection, db: Database, words: WordEncoder) -> None:
    (name,) = notes.execute("SHOW default_text_search_config").fetchone() or ("",)
    db.attach("notes", ["body"], words, lexical="default")
    assert f"pg_catalog.{db.collection('notes').generation.lexical}" == name


@pytest.mark.parametrize("name", ["mine", 'quo"te', "it's", "Mixed Case", "100%", "{braces}", "a.b"])
def test_configurations_of_users(notes: Connection, db: Database, words: WordEncoder, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    notes.execute(f"CREATE SCHEMA langs; CREATE TEXT SEARCH CONFIGURATION langs.{quoted} (COPY = english)".encode())
    try:
        db.attach("notes", ["body"], words, lexical=name)
        db.sync("notes")
        assert keys(db, "run") == [1]
        notes.execute("INSERT INTO notes VALUES (4, 'runs')")
        notes.execute(f"DROP TEXT SEARCH CONFIGURATION langs.{quoted}".encode())
        with pytest.raises(psycopg.errors.UndefinedObject, match="does not exist"):
            db.sync("notes", encoder=words)
        assert notes.execute("SELECT id FROM pgencoder.notes_1_queue").fetchall() == [(4,)]  # nothing is lost
    finally:
        db.detach("notes")
        notes.execute("DROP SCHEMA langs CASCADE")


@pytest.mark.parametrize("wrong", ["klingon", "", "pg_catalog.klingon", 3])
def test_what_is_no_configuration_is_refused(notes: Connection, db: Database, words: WordEncoder, wrong: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"english|must be"):
        db.attach("notes", ["body"], words, lexical=wrong)
    assert left(notes) == set()


def test_a_collection_that_differs_is_said(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words)
    with pytest.raises(errors.CollectionExists, match="differs in lexical"):
        db.attach("notes", ["body"], words, lexical="simple", exist_ok=True)
    assert db.attach("notes", ["body"], words, lexical="english", exist_ok=True) == 0


def test_adopted_rows_have_words(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words, tokens="none", lexical="english")
    notes.execute("CREATE TABLE made AS SELECT id, array_fill(0.5, ARRAY[32])::real[] AS dense FROM notes")
    assert db.adopt("notes", "made", "dense") == 3
    db.sync("notes", encoder=words)
    assert keys(db, "ERR_42") == [2]
    notes.execute("UPDATE notes SET body = 'other words' WHERE id = 2")
    assert db.adopt("notes", "made", "dense") >= 1
    db.sync("notes", encoder=words)
    assert keys(db, "ERR_42") == []
    assert keys(db, "words") == [2]


def test_what_is_lost_is_repaired(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words, lexical="english")
    db.sync("notes")
    for lost in ("TABLE pgencoder.notes_1_terms CASCADE", "FUNCTION pgencoder.notes_lexical CASCADE"):
        notes.execute(f"DROP {lost}".encode())
        db.repair("notes")
        db.sync("notes", encoder=words)
        assert keys(db, "ERR_42") == [2]
    db.migrate()
    db.migrate()
    assert keys(db, "ERR_42") == [2]


def test_a_class_declares_it(notes: Connection, db: Database, words: WordEncoder) -> None:
    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "notes"
        __encoding__ = EncodedColumns(["body"], words, lexical="english", pooling=2)
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    assert attach_all(Base, db).attached == ("notes",)
    db.sync("notes", encoder=words)
    assert not attach_all(Base, db).changed
    generation = db.collection("notes").generation
    assert (generation.lexical, generation.pooling) == ("english", 2)
    with Session(db.engine) as session:
        assert session.execute(select(Note, "ERR_42", 1)).one()[0].id == 2
        assert [note.id for note, _ in session.execute(select(Note, "run", 5, stage="lexical"))] == [1]


def test_a_long_row_is_stored_whole(notes: Connection, db: Database, words: WordEncoder) -> None:
    """A page has room for some 600 different words, and this row has more than the 15,000 that are kept."""
    db.attach("notes", ["body"], words, lexical="simple", chunking="truncate")
    lengths = (500, 700, 3_000, 20_000)
    for key, count in enumerate(lengths, 100):
        body = " ".join(f"w{key}x{number}" for number in range(count))
        notes.execute("INSERT INTO notes (id, body) VALUES (%s, %s)", [key, f"{body} needle{key} needle{key}"])
    assert db.sync("notes").failed == 0
    for key, _ in enumerate(lengths, 100):
        assert keys(db, f"needle{key}") == [key]
    assert keys(db, "w102x2999") == [102]
    assert keys(db, " ".join(f"w103x{number}" for number in range(20_000)))[0] == 103


@pytest.mark.parametrize("name", ["100%", "%s", "%(few)s", "it's", "{few}", '"'])
def test_words_of_any_name_are_counted(notes: Connection, db: Database, words: WordEncoder, name: str) -> None:
    db.attach("notes", ["body"], words, name=name, lexical="simple")
    db.sync(name)
    counted = "SELECT passages FROM pgencoder.representation WHERE collection = %s AND name = 'lexical'"
    assert notes.execute(counted, [name]).fetchone() == (3,)
    assert [hit.key for hit in db.search(name, "again", stage="lexical")] == [2]
