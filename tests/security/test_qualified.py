"""No SQL of pgencoder depends on the search path: every name that it sends or stores has its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pglast
import pytest
from psycopg._cursor_base import BaseCursor

from pgencoder import Database
from pgencoder.search.render import template
from pgencoder.statements import query, resources
from tests.connections import Connection
from tests.security import everything
from tests.security.qualified import Offence, Signature, body_offences, offences

# What others send on connections of ours, whose path is pinned, or on a user's own
OF_OTHERS = {
    r"select pg_catalog\.version\(\)|select current_schema\(\)|show ": "SQLAlchemy, when an engine connects first",
    r"SELECT pg_catalog\.pg_\w+\.\w+|SELECT attr\.": "SQLAlchemy's reflection of tables",
    r"(INSERT INTO|UPDATE|DELETE FROM|SELECT) pgencoder\.revision\b": "Alembic, about its revision",
    r"SELECT\s+typname AS name, oid": "psycopg, which looks up the type hstore when a user's engine connects first",
}


class Sent:
    """The statements that psycopg is given, whoever sends them, and the files of SQL that are read meanwhile."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.files: set[Path] = set()

    def ours(self) -> list[str]:
        """Without those of others."""
        return [text for text in self.texts if not any(re.match(rf"\s*(?:{other})", text) for other in OF_OTHERS)]


@contextmanager
def sending(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    sent = Sent()
    convert, read = BaseCursor._convert_query, Path.read_text

    def _convert(self: Any, *arguments: Any) -> Any:
        made = convert(self, *arguments)
        sent.texts[made.query.decode()] = None
        return made

    def _read(self: Path, *arguments: Any, **options: Any) -> str:
        sent.files.add(self)
        return read(self, *arguments, **options)

    for cache in (query, template):
        cache.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(BaseCursor, "_convert_query", _convert)
        patched.setattr(Path, "read_text", _read)
        yield sent


def report(found: list[Offence]) -> str:
    distinct = sorted(set(map(str, found)))
    return f"{len(found)} names that the search path decides on:\n" + "\n".join(distinct)


def offending(text: str) -> list[Offence]:
    try:
        return offences(text)
    except pglast.parser.ParseError as error:
        return [Offence(f"cannot be parsed: {error}", text)]


def test_what_is_sent(connection: Connection, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.execute("CREATE SCHEMA blog;" + everything.TABLES)
    everything.fill(connection)
    parties = everything.Parties(
        db, db, db, connection, condition=lambda column: column.op("OPERATOR(pg_catalog.>)", is_comparison=True)(1)
    )
    with sending(monkeypatch) as sent:
        for step in everything.STEPS:
            step(parties)
        everything.measure(parties)
        everything.end(parties)
    connection.execute("DROP ROLE pgencoder_reader, pgencoder_worker")
    found = [offence for text in sent.ours() for offence in offending(text)]
    assert not found, report(found)
    unread = set(resources().glob("sql/**/*.sql")) - sent.files
    unchecked = sorted(each.name for each in unread)
    assert not unchecked, f"the steps of `everything` do not use {', '.join(unchecked)}, so they are not checked"


def test_what_is_stored(connection: Connection, db: Database) -> None:
    connection.execute("CREATE SCHEMA blog;" + everything.TABLES)
    everything.fill(connection)
    everything.attach(everything.Parties(db, db, db, connection))
    rows = connection.execute(
        "SELECT p.proname, l.lanname, p.prosrc, coalesce(p.proargnames, '{}'), coalesce(p.proargmodes::text[], '{}'),"
        " p.prorettype::regtype::text, p.proretset, coalesce(p.proconfig::text, '') LIKE '%search_path=pg_catalog%'"
        " FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
        " WHERE p.pronamespace = 'pgencoder'::regnamespace AND p.prosqlbody IS NULL"
    ).fetchall()
    assert len(rows) > 20
    found = []
    for name, language, body, names, modes, returns, several, pinned in rows:
        modes = modes or ["i"] * len(names)
        inputs = tuple(each for each, mode in zip(names, modes, strict=True) if each and mode in "ibv")
        outputs = tuple(each for each, mode in zip(names, modes, strict=True) if each and mode in "ot")
        signature = Signature(inputs, outputs, returns, several)
        found += [
            Offence(f"{name}: {each.name}", each.statement)
            for each in body_offences(body, language, signature, pinned=pinned)
        ]
    assert not found, report(found)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT pg_catalog.now()", []),
        ("SELECT now()", ["function now"]),
        ("SELECT a.b OPERATOR(pg_catalog.=) 1 FROM a.b", []),
        ("SELECT a.b = 1 FROM a.b", ["operator ="]),
        ("SELECT -a.b FROM a.b", ["operator -"]),
        ("SELECT -1, 'a'::pg_catalog.text, 1::int, 'now'::timestamp with time zone, trim(a) FROM a.b", []),
        ("SELECT 'a'::text", ["type text"]),
        ("SELECT a FROM b", ["table b"]),
        ("WITH b AS (SELECT 1 AS a) SELECT a FROM b", []),
        ("SELECT 1 FROM a.b WHERE a IN (1, 2)", ["IN (...)"]),
        ("SELECT 1 FROM a.b WHERE a IN (SELECT 1)", ["IN (SELECT ...)"]),
        ("SELECT 1 FROM a.b WHERE a OPERATOR(pg_catalog.=) ANY (SELECT 1)", []),
        ("SELECT 1 FROM a.b WHERE a BETWEEN 1 AND 2", ["BETWEEN"]),
        ("SELECT 1 FROM a.b WHERE a LIKE 'b'", ["LIKE"]),
        ("SELECT 1 FROM a.b WHERE a IS DISTINCT FROM 1", ["IS DISTINCT FROM"]),
        ("SELECT nullif(a, 1), coalesce(a, 1), greatest(a, 1) FROM a.b", ["NULLIF"]),
        ("SELECT CASE a WHEN 1 THEN 2 END FROM a.b", ["CASE x WHEN"]),
        ("SELECT 1 FROM a.b JOIN a.c USING (d)", ["JOIN ... USING"]),
        ("SELECT 1 FROM a.b ORDER BY c COLLATE \"C\"", ["collation C"]),
        ("CREATE INDEX ON a.b USING hnsw (c halfvec_ip_ops)", ["operator class halfvec_ip_ops"]),
        ("SELECT pg_catalog.nextval('change')", ["the name 'change'"]),
        ("SELECT 'pg_class'::pg_catalog.regclass", ["the name 'pg_class'"]),
        ("DROP TABLE a", ["object a"]),
        ("COMMENT ON FUNCTION f(int) IS 'a'", ["function f"]),
        ("CREATE TRIGGER t AFTER INSERT ON a.b FOR EACH STATEMENT EXECUTE FUNCTION f()", ["function f"]),
        ("DO $$ DECLARE a text; BEGIN PERFORM b(); IF a = 'b' THEN RETURN; END IF; END $$",
         ["type text", "function b", "operator ="]),
        ("DO $$ BEGIN EXECUTE pg_catalog.format('DROP TABLE %I, a.%I', 'b', 'c'); END $$", []),
        ("DO $$ BEGIN EXECUTE pg_catalog.format('SELECT count(*) FROM %I.%I', 'b', 'c'); END $$", ["function count"]),
        ("CREATE FUNCTION a.b() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN c IN (1); END $$", ["IN (...)"]),
        ("CREATE FUNCTION a.b() RETURNS int LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp"
         " AS $$ BEGIN RETURN c IN (now()); END $$", ["function now"]),
        ("CREATE FUNCTION a.b() RETURNS int RETURN now()", ["function now"]),
    ],
)  # fmt: skip
def test_what_the_walk_finds(statement: str, expected: list[str]) -> None:
    assert [each.name for each in offences(statement)] == expected
