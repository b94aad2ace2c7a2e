"""Collections without a model: passages have words and no vectors, and are found by BM25 alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import pgencoder
from pgencoder import Database, Dims, attach_all, errors, select
from pgencoder.sqlalchemy import EncodedColumns
from tests.commands import Run
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute(
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "INSERT INTO notes VALUES (1, 'running tables'), (2, 'ERR_42 again'), (3, 'tables, tables'), (4, NULL)"
    )
    return connection


@pytest.fixture
def filled(notes: Connection, db: Database) -> Database:
    assert db.attach("notes", ["body"], "none") == 4
    assert db.sync("notes").passages == 3
    return db


def keys(db: Database, query: str, **options: Any) -> list[Any]:
    return [hit.key for hit in db.search("notes", query, **options)]


def test_rows_are_found_by_their_words(filled: Database, notes: Connection) -> None:
    assert keys(filled, "table") == [3, 1]
    assert keys(filled, "err_42") == [2]
    assert keys(filled, "nothing of it") == []
    assert keys(filled, "") == []
    notes.execute("UPDATE notes SET body = 'ERR_43' WHERE id = 2; DELETE FROM notes WHERE id = 3")
    assert filled.sync("notes").deleted == 1
    assert keys(filled, "err_42 err_43 table") == [2, 1]
    (hit,) = filled.search("notes", "run", filter=sa.text("id > 0"))
    assert set(hit.parts) == {"lexical"}
    assert hit.dense_score is None
    assert 0 < (hit.relevance or 0) <= 1
    assert [match.words for match in hit.explain().lexical or ()] == [("running",)]
    assert hit.explain().score == pytest.approx(hit.score)
    assert "running tables" in filled.context("notes", "run", 100).text
    assert keys(filled, "table", fusion="zscore") == keys(filled, "table", fusion="rrf") == keys(filled, "table")


def test_from_sql(filled: Database, notes: Connection) -> None:
    rows = notes.execute(
        "SELECT id, score, parts FROM pgencoder.notes_search(NULL, NULL, query_text => 'tables')"
    ).fetchall()
    assert [row[0] for row in rows] == [3, 1]
    assert list(rows[0][2]) == ["lexical"]
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="query_text"):
        notes.execute("SELECT * FROM pgencoder.notes_search(NULL, NULL)")
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match="query_text is NULL"):
        notes.execute("SELECT * FROM pgencoder.notes_search(NULL, ARRAY['[1]'::public.halfvec])")
    one = notes.execute(
        "SELECT id FROM pgencoder.notes_search(NULL, NULL, query_text => 'tables', filter => 'id < 2', fusion => 'rrf')"
    ).fetchall()
    assert one == [(1,)]


def test_what_needs_vectors_is_refused(filled: Database, words: WordEncoder) -> None:
    for stage in ("dense", "maxsim", "exhaustive"):
        with pytest.raises(errors.InvalidRequest, match="no dense vectors"):
            filled.search("notes", "tables", stage=stage)
    with pytest.raises(errors.InvalidRequest, match="no vectors"):
        list(filled.similar_pairs("notes"))
    with pytest.raises(errors.InvalidRequest, match="dense"):
        filled.search("notes", "tables", weights={"dense": 1})
    with pytest.raises(errors.FingerprintMismatch):
        filled.search("notes", "tables", encoder=words)
    with pytest.raises(errors.InvalidRequest, match="lexical"):
        filled.reencode("notes", "none", lexical="none")


def test_nothing_to_store_is_refused(notes: Connection, db: Database) -> None:
    with pytest.raises(errors.InvalidRequest, match="lexical='english'"):
        db.attach("notes", ["body"], "none", lexical="none")
    with pytest.raises(errors.InvalidRequest, match="token_model"):
        db.attach("notes", ["body"], "none", token_model="any")
    with pytest.raises(errors.InvalidRequest, match="tokens"):
        db.attach("notes", ["body"], "none", tokens="bit")


def test_a_model_is_added_and_taken_away(filled: Database, notes: Connection, words: WordEncoder) -> None:
    filled.reencode("notes", words)  # with its tokens, though there were none
    filled.sync("notes")
    filled.activate("notes")
    assert set(filled.search("notes", "tables")[0].parts) == {"dense", "lexical", "maxsim"}
    filled.reencode("notes", "none")
    filled.sync("notes")
    filled.activate("notes")
    assert keys(filled, "tables") == [3, 1]
    filled.repair("notes")
    filled.migrate()
    assert keys(filled, "tables") == [3, 1]
    (state,) = filled.status()
    assert (state.model, state.active.lexical, state.indexed) == ("none", "english", True)
    filled.detach("notes")
    assert notes.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'notes\\_%'").fetchone() == (1,)  # its key


def test_the_query_of_a_model_without_a_vector(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.attach("notes", ["body"], words)
    db.sync("notes")
    bare = pgencoder.load_encoder("none").encode_query("tables")
    with pytest.raises(errors.InvalidRequest, match="no dense vector"):
        db.run(db.collection("notes"), pgencoder.search.Search(5, 100), bare)


def test_a_class_declares_it(notes: Connection, db: Database) -> None:
    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "notes"
        __encoding__ = EncodedColumns(["body"], "none")
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[str]

    assert attach_all(Base, db).attached == ("notes",)
    db.sync("notes")
    assert not attach_all(Base, db).changed
    with Session(db.engine) as session:
        assert [note.id for note, _ in session.execute(select(Note, "tables"))] == [3, 1]
        assert session.execute(select(Note, "")).all() == []


def test_the_command_line(notes: Connection, command: Run) -> None:
    commands = (
        ["attach", "notes", "--columns", "body", "--model", "none", "--lexical", "simple"],
        ["worker", "--once"],
        ["search", "notes", "again", "--explain"],
        ["status"],
        ["search", "notes", "again", "--json"],
    )
    ran = [command(*arguments) for arguments in commands]
    assert [each.returncode for each in ran] == [0] * len(ran), [each.stderr for each in ran]
    assert "ERR_42 [again]" in ran[2].stdout
    assert "words only (simple)" in ran[3].stdout
    assert json.loads(ran[4].stdout)[0]["key"] == 2


def test_no_model_is_imported(filled: Database, url: str) -> None:
    """A search by words starts at once."""
    program = (
        "import sys, pgencoder\n"
        "db = pgencoder.connect(sys.argv[1])\n"
        "assert [hit.key for hit in db.search('notes', 'tables')] == [3, 1]\n"
        "assert not {'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, url], check=True)


def test_only_dense_vectors_recall_what_tokens_compare(notes: Connection, db: Database) -> None:
    with pytest.raises(errors.InvalidRequest, match="give an encoder with both"):
        db.attach("notes", ["body"], WordEncoder(Dims(0, 16)))


def test_a_second_attach_keeps_the_words(notes: Connection, db: Database, words: WordEncoder) -> None:
    """Who does not say how words are split does not ask for a change."""
    for lexical in ("none", "german"):
        db.attach("notes", ["body"], words, lexical=lexical)
        assert db.attach("notes", ["body"], words, exist_ok=True) == 0
        assert db.collection("notes").generation.lexical == lexical
        db.detach("notes")


def test_sql_without_a_vector_ranks_by_words(notes: Connection, db: Database, words: WordEncoder) -> None:
    """A query that is NULL recalls nothing, whatever else the collection stores."""
    notes.execute("INSERT INTO notes SELECT i, 'filler w' || i FROM generate_series(10, 400) AS i")
    db.attach("notes", ["body"], words)
    db.sync("notes")
    search = "SELECT id FROM pgencoder.notes_search(NULL, NULL, query_text => %s, group_by => %s, k => %s)"
    for group in ("passage", "document"):
        for k in (10, 150):
            assert notes.execute(search, ["zebra", group, k]).fetchall() == []
            assert notes.execute(search, ["w377", group, k]).fetchall() == [(377,)]
            assert notes.execute(search, ["err_42", group, k]).fetchall() == [(2,)]
    for fusion, missing in (("dense", "query_dense"), ("maxsim", "query_tokens")):
        with pytest.raises(psycopg.errors.NullValueNotAllowed, match=f"{missing} is NULL"):
            notes.execute("SELECT * FROM pgencoder.notes_search(NULL, NULL, query_text => 'x', fusion => %s)", [fusion])
    dense = "[" + ",".join(["0.5"] * 32) + "]"
    rows = notes.execute(
        "SELECT score, dense_score FROM pgencoder.notes_search(%s::public.halfvec, NULL)", [dense]
    ).fetchall()
    assert len(rows) == 10
    assert all(score == near for score, near in rows)
