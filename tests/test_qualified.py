"""No SQL of pgencoder depends on the search path: every name that it sends or stores has its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg._cursor_base import BaseCursor

import pgencoder
from pgencoder import Database
from pgencoder.query.template import template
from pgencoder.sql import query, resources

from . import everything
from .conftest import Connection
from .qualified import Offence, Signature, body_offences, offences

# What others send on our connections, whose path is pinned, or a user sends on his
NOT_OURS = {
    r"select pg_catalog\.version|select current_schema|show ": "SQLAlchemy, when an engine connects first",
    r"SELECT pg_catalog\.|SELECT attr\.|SELECT n?\.?|WITH anon": "SQLAlchemy's reflection",
}


class Sent:
    """The statements that psycopg is given, from wherever: SQLAlchemy, its own look-ups, and pgencoder."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.templates: set[str] = set()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    seen = Sent()
    convert, read = BaseCursor._convert_query, Path.read_text

    def _convert(self: Any, *arguments: Any) -> Any:
        made = convert(self, *arguments)
        seen.texts[made.query.decode()] = None
        return made

    def _read(self: Path, *arguments: Any, **options: Any) -> str:
        if self.parent.name == "queries":
            seen.templates.add(self.stem)
        return read(self, *arguments, **options)

    monkeypatch.setattr(BaseCursor, "_convert_query", _convert)
    monkeypatch.setattr(Path, "read_text", _read)
    query.cache_clear()
    template.cache_clear()
    yield seen


def test_x(sent: Sent, connection: Connection, db: Database) -> None:
    connection.execute("CREATE SCHEMA blog;" + everything.TABLES)
    everything.fill(connection)
    parties = everything.Parties(db, db, db, connection)
    for step in everything.STEPS:
        print(step.__name__)
        step(parties)
    db.migrate("base")
    bad = 0
    for text in sent.texts:
        try:
            o = offences(text)
        except Exception as e:
            print("CANNOT", e, text[:3000])
            continue
        if o:
            bad += 1
            print("----", text[:150].replace("\n", " "))
            for x in o: print("     ", x.name)
    print(len(sent.texts), bad)
    print({p.stem for p in (resources()/"sql"/"queries").glob("*.sql")} - sent.templates)
