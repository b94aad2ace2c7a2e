"""An application whose roles have the rights of the README and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection
from tests.encoder import WordEncoder

# Cluster-wide, as roles are, so they have names that nobody else uses, and are gone after each test
OWNER, ENCODING, WRITER, NOBODY, MEMBER = "t_owner", "t_encoding", "t_writer", "t_nobody", "t_member"
TENANTS = ("t_ann", "t_ben")
LOGINS = (OWNER, ENCODING, WRITER, NOBODY, MEMBER, *TENANTS)
DOCS = 12


@dataclass
class App:
    """A database as each role sees it; `superuser` is only there to look."""

    superuser: Connection
    url: sa.URL
    opened: list[Database]

    def url_of(self, role: str) -> str:
        return self.url.set(username=role).render_as_string(False)

    def db(self, role: str) -> Database:
        db = pgencoder.connect(self.url_of(role))
        self.opened.append(db)
        return db

    def session(self, role: str) -> Any:
        return psycopg.connect(self.url_of(role), autocommit=True)

    def work(self, *encoders: WordEncoder) -> None:
        self.db(ENCODING).worker(encoders=encoders).run_once()

    def stored(self, passages: str = "docs_1") -> list[tuple[int, str]]:
        return self.superuser.execute(f"SELECT id, content FROM pgencoder.{passages} ORDER BY id".encode()).fetchall()

    def rows(self) -> list[tuple[int, str]]:
        return self.superuser.execute("SELECT id, body FROM docs ORDER BY id").fetchall()


def of_tenant(rows: Sequence[tuple[int, str]], tenant: str) -> list[tuple[int, str]]:
    return [row for row in rows if TENANTS[row[0] % 2] == tenant]


def searched(session: Connection, encoder: WordEncoder, query: str = "number 1") -> set[int]:
    """What the search function finds."""
    register(session)
    encoding = encoder.encode_query(query)
    arguments = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))]
    statement = "SELECT id FROM pgencoder.docs_search($1, $2, k => 100)"
    return {key for (key,) in psycopg.RawCursor(session).execute(statement, arguments)}
