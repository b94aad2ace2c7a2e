"""Rows in a language that the model's tokenizer does not know are counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import pgencoder
from pgencoder import Database
from pgencoder.cli import status
from pgencoder.ingest.chunking import mostly_unknown
from tests.connections import Connection
from tests.encoder import WordEncoder

TEXTS = {
    1: "replication lag",
    2: "ภาษาไทยไม่มีช่องว่าง ระหว่างคำ",
    3: "half ภาษาไทย",
    4: "mostly ภาษาไทย ภาษาไทย",
    5: "😀",
    6: "x" * 500,
    7: "\u200b",
    8: "",
}
UNKNOWN = {2, 4, 5, 6, 7}


def unknown(db: Database) -> list[int]:
    return [each.unknown_passages for each in db.status()[0].generations]


@pytest.fixture
def texts(db: Database, connection: Connection) -> Connection:
    connection.execute("CREATE TABLE texts (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO texts VALUES (%s, %s)", list(TEXTS.items()))
    return connection


def test_what_a_tokenizer_knows(minilm: Any) -> None:
    told = mostly_unknown(minilm)(list(TEXTS.values())[:-1])
    assert {key for key, each in zip(TEXTS, told, strict=False) if each} == UNKNOWN
    assert mostly_unknown(minilm)([]) == []
    assert mostly_unknown(WordEncoder())(["ภาษาไทย"]) == [False]


@pytest.mark.parametrize("chunking", ["default", "truncate"])
def test_passages_that_the_model_does_not_know_are_counted(
    db: Database, texts: Connection, minilm: pgencoder.Encoder, chunking: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    db.attach("texts", ["body"], minilm, chunking=chunking)
    db.sync("texts", encoder=minilm)
    assert unknown(db) == [len(UNKNOWN)]
    rows = texts.execute("SELECT id FROM pgencoder.texts_1 WHERE mostly_unknown").fetchall()
    assert {key for (key,) in rows} == UNKNOWN
    status.show(db.status(), [], {}, datetime.now(UTC))
    assert "5 mostly unknown to the model" in " ".join(capsys.readouterr().out.split())
    texts.execute("UPDATE texts SET body = 'in words that it knows' WHERE id IN (2, 4, 5, 6)")
    db.sync("texts", encoder=minilm)
    assert unknown(db) == [1]


def test_an_encoder_without_a_tokenizer_knows_everything(db: Database, texts: Connection, words: WordEncoder) -> None:
    db.attach("texts", ["body"], words)
    db.sync("texts", encoder=words)
    assert unknown(db) == [0]


def test_passages_from_before_are_not_counted(db: Database, texts: Connection, minilm: pgencoder.Encoder) -> None:
    """Nor does a view from before, which could not be replaced, break the status of the others."""
    db.attach("texts", ["body"], minilm)
    db.sync("texts", encoder=minilm)
    texts.execute(
        "DROP VIEW pgencoder.texts_1_write; ALTER TABLE pgencoder.texts_1 DROP COLUMN mostly_unknown;"
        " CREATE VIEW pgencoder.texts_1_write AS SELECT * FROM pgencoder.texts_1"
    )
    assert unknown(db) == [0]
    texts.execute(
        "ALTER TABLE pgencoder.generation DROP COLUMN index_failures, DROP COLUMN index_error,"
        " DROP COLUMN index_retry_at; UPDATE pgencoder.revision SET version_num = '0005'"
    )
    db.migrate()
    assert unknown(db) == [0]
    texts.execute("UPDATE texts SET body = body || ' ไทย' WHERE id = 2; INSERT INTO texts VALUES (9, 'คำ')")
    db.sync("texts", encoder=minilm)
    assert unknown(db) == [2]


def test_a_key_of_that_name(db: Database, connection: Connection, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE named (mostly_unknown int PRIMARY KEY, body text); INSERT INTO named VALUES (1, 'a')"
    )
    db.attach("named", ["body"], words)
    db.sync("named", encoder=words)
    assert db.search("named", "a", encoder=words)[0].key == 1


def test_rows_whose_domains_were_cast_are_looked_at_again(
    db: Database, connection: Connection, words: WordEncoder
) -> None:
    connection.execute(
        "CREATE DOMAIN padded AS char(10); CREATE DOMAIN twice AS padded; CREATE TABLE domains (id int PRIMARY KEY,"
        " body twice); INSERT INTO domains VALUES (1, 'a'); CREATE TABLE plain (id int PRIMARY KEY, body text)"
    )
    db.attach("domains", ["body"], words)
    db.attach("plain", ["body"], words)
    for name in ("domains", "plain"):
        db.sync(name, encoder=words)
    connection.execute(
        "ALTER TABLE pgencoder.generation DROP COLUMN index_failures, DROP COLUMN index_error,"
        " DROP COLUMN index_retry_at; UPDATE pgencoder.revision SET version_num = '0005'"
    )
    db.migrate()
    again = connection.execute("SELECT collection FROM pgencoder.generation WHERE queued_at IS NULL").fetchall()
    assert again == [("domains",)]
