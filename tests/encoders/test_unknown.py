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


def test_a_key_of_that_name(db: Database, connection: Connection, words: WordEncoder) -> None:
    connection.execute(
        "CREATE TABLE named (mostly_unknown int PRIMARY KEY, body text); INSERT INTO named VALUES (1, 'a')"
    )
    db.attach("named", ["body"], words)
    db.sync("named", encoder=words)
    assert db.search("named", "a", encoder=words)[0].key == 1
