"""Every passage and every vector against a fresh encoding; tests.passages looks at a few vectors only."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from pgencoder import Database, Encoder
from pgencoder.vectors import bit_array, halfvec, normalize

Connection = psycopg.Connection[Any]
Stored = tuple[str, bytes, bytes]


def differences(connection: Connection, db: Database, encoder: Encoder) -> list[str]:
    """What is wrong with the passages of `notes`, a line each; a row of it is one passage or none."""
    expected = {}
    for a, b, title, body in connection.execute("SELECT a, b, title, body FROM notes"):
        content = " ".join(value for value in (title, body) if value is not None)
        if content.strip():
            expected[a, b] = content
    passages = sql.Identifier("pgencoder", db.collection("notes").generation.passages)
    rows = connection.execute(sql.SQL("SELECT a, b, content, passage FROM {}").format(passages)).fetchall()
    stored = {(a, b): content for a, b, content, _ in rows}
    found = [f"missing: {key}" for key in expected.keys() - stored.keys()]
    found += [f"orphaned: {key}" for key in stored.keys() - expected.keys()]
    found += [
        f"stale: {key} has {stored[key]!r} for {expected[key]!r}"
        for key in expected.keys() & stored.keys()
        if stored[key] != expected[key]
    ]
    found += [f"passage {number} of {a, b}" for a, b, _, number in rows if number != 0]
    found += [f"vectors: {content!r}" for content in _wrong_vectors(connection, passages, encoder)]
    return sorted(found)


def _wrong_vectors(connection: Connection, passages: sql.Identifier, encoder: Encoder) -> list[str]:
    """The contents whose vectors, as Postgres sends them, are not those of a fresh encoding."""
    statement = sql.SQL("SELECT content, dense, tokens FROM {}").format(passages)
    result = connection.execute(statement, binary=True).pgresult
    assert result is not None
    wrong = []
    for i in range(result.ntuples):
        content = (result.get_value(i, 0) or b"").decode()
        encoding = encoder.encode_documents([content])[0]
        expected = (halfvec(normalize(encoding.dense)), bit_array(encoding.tokens))
        if (result.get_value(i, 1), result.get_value(i, 2)) != expected:
            wrong.append(content)
    return wrong
