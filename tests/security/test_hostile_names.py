"""200 hostile names, each once as schema, table, both key columns, both content columns, key value and collection.

A trap is planted that counts calls: what of a name is read as SQL would call it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

import pgencoder
from pgencoder import Database, Dims
from pgencoder.errors import CollectionExists
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.snapshots import OBJECTS

NAMES = 200
# calls that count: nextval is not undone where a statement fails
TRAP = """
CREATE SEQUENCE public.fired;
CREATE FUNCTION public.evil() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('public.fired') $$;
"""
EVIL = "public.evil()"
BREAKS = [
    "'", '"', "''", '""', "\\", "\\'", "$", "$$", "$1", "$2", "$pgencoder$", "{", "}", "{}", "{{", "}}", "{0}",
    "{k}", "%", "%%", "%s", "%(k)s", "%I", "%1$L", ":", "::", ":x", ":'x'", "?", "--", "/*", "*/", "/* keys */",
    "/* relation */", "/* queues */", "pgencoder_filter_goes_here", ";", ",", "(", ")", "[", "]", ".", "..", "\n",
    "\r\n", "\t", " ", "  ", "E'", "U&'", "\u00a0", "\ufeff", "\u202e", "\u0301", "é", "ß", "日本", "🦊", "ܫ", "\x01",
    "\x7f",
]  # fmt: skip
INJECTIONS = [
    f"'); SELECT {EVIL}; --", f"' || {EVIL} || '", f'" ; SELECT {EVIL}; --', f'"."{EVIL}', f"$$ || {EVIL} || $$",
    f"*/ SELECT {EVIL} /*", f"\n; SELECT {EVIL} --", f"$1); SELECT {EVIL}--", f"') OR {EVIL} > 0 --", f"{EVIL}",
    f"\\'; SELECT {EVIL}; --", f"%s'); SELECT {EVIL};--", f"{{k}}'; SELECT {EVIL};--", f"); SELECT {EVIL}; (",
]  # fmt: skip
OWN = [
    "pgencoder", "collection", "collection_key", "generation", "representation", "revision", "worker", "late", "change",
    "status", "failed", "check", "check_active", "detach", "kernel", "maxsim", "maxsim_sql", "score", "read", "query",
    "query_tokens", "rate", "source", "passages", "passage", "queue", "span", "content", "content_hash", "dense",
    "tokens", "row_hash", "truncated", "seq", "attempts", "run_after", "claimed_until", "last_error", "changed_at",
    "k1", "k2", "k", "candidates", "filter", "group_by", "query_dense", "query_encoder", "own_encoder", "statement",
    "n", "claim", "nearest", "exact", "recall", "recall_rank", "dense_score", "distance", "scored", "setting",
    "new", "old", "new_rows", "old_rows", "changed", "hits", "queue_1", "queues", "wanted", "piece", "x_1",
    "x_1_queue", "x_passages", "key", "key_as_given", "bytes", "after", "hashed", "count", "relation", "evil",
    "public", "vector", "halfvec",
]  # fmt: skip
# Collections whose objects would be called as some of ours
TAKEN = ("_check", "generation")
RESERVED = [
    "select", "table", "user", "order", "group", "all", "null", "default", "true", "from", "where", "limit",
    "current_user", "session_user", "any", "array", "case", "end", "in", "is", "not", "or", "and", "union", "with",
    "row", "rows", "to",
]  # fmt: skip


def cut(text: str, length: int) -> str:
    """What of a text fits into so many bytes."""
    return text.encode()[:length].decode(errors="ignore")


def made_names() -> list[str]:
    """The same names each time, as long as a name can be and shorter; no two alike."""
    chance = random.Random(200)
    names: dict[str, None] = dict.fromkeys([*BREAKS, *TAKEN])
    names |= dict.fromkeys(chance.sample(INJECTIONS + OWN + RESERVED, 60))
    for number in count():
        if len(names) >= NAMES:
            return list(names)[:NAMES]
        parts = chance.choices(BREAKS, k=chance.randint(1, 6)) + chance.choices(INJECTIONS + OWN + RESERVED, k=2)
        chance.shuffle(parts)
        name = "".join(parts)
        names[cut(name * 20 if number % 5 == 0 else name, 63)] = None
    raise AssertionError


@dataclass(frozen=True)
class Names:
    """What is called how: each name of the list in its turn."""

    schema: str
    table: str
    columns: tuple[str, str, str, str]
    collection: str


def turns(names: list[str]) -> Iterator[Names]:
    system = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
    for i, name in enumerate(names):
        others = [names[(i + j) % len(names)] for j in range(1, 6)]
        # Postgres keeps some names for itself, and the schemas that are there
        schema = cut(f"x{name}", 63) if name.startswith("pg") or name in ("public", "pgencoder") else name
        columns = [each for each in others[1:] if each not in system]
        yield Names(schema, others[0], (columns[0], columns[1], columns[2], columns[3]), cut(name, 40))


def q(*names: str) -> sql.Identifier:
    return sql.Identifier(*names)


class Life:
    """The life of a collection under hostile names."""

    def __init__(self, connection: Connection, db: Database, names: Names, encoder: WordEncoder) -> None:
        self.connection, self.db, self.names, self.encoder = connection, db, names, encoder
        self.table = q(names.schema, names.table)
        self.keys = [(number, f"{names.table} {number}") for number in (1, 2, 3)]
        self.collection = names.collection

    def run(self) -> None:
        self.create()
        self.attach()
        self.write()
        self.search()
        self.select()
        self.explain()
        self.db.detach(self.collection)
        self.connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(q(self.names.schema)))

    def create(self) -> None:
        number, text, title, body = map(q, self.names.columns)
        self.connection.execute(
            sql.SQL(
                "CREATE SCHEMA {}; CREATE TABLE {} ({} int, {} text, {} text, {} text, PRIMARY KEY ({}, {}))"
            ).format(q(self.names.schema), self.table, number, text, title, body, number, text)
        )
        self.insert(self.keys[0], "red fox")

    def insert(self, key: tuple[int, str], title: str) -> None:
        values = sql.SQL(", ").join(map(sql.Literal, (*key, title, "runs")))
        self.connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(self.table, values))

    def attach(self) -> None:
        columns = list(self.names.columns[2:])

        def make() -> int:
            return self.db.attach(
                self.names.table, columns, self.encoder, schema=self.names.schema, name=self.collection
            )

        if self.collection in TAKEN:
            with pytest.raises(CollectionExists, match="would make pgencoder"):
                make()
            self.collection = f"{self.collection} of mine"
        assert make() == 1

    def write(self) -> None:
        key, text, title, _ = map(q, self.names.columns)
        self.insert(self.keys[1], "blue fox")
        self.insert(self.keys[2], "grey fox")
        self.connection.execute(sql.SQL("UPDATE {} SET {} = 'green fox' WHERE {} = 2").format(self.table, title, key))
        gone = sql.Literal(self.keys[2][1])
        self.connection.execute(sql.SQL("DELETE FROM {} WHERE {} = {}").format(self.table, text, gone))
        self.db.sync(self.collection, encoder=self.encoder)
        assert self.db.status()[0].passages == 2
        report = self.db.reconcile(self.collection)
        assert (report.rows, report.missing, report.stale, report.orphaned) == (2, 0, 0, 0)

    def search(self) -> None:
        first, second = self.keys[:2]
        for group in ("passage", "document"):
            hits = self.db.search(self.collection, "green fox", k=5, group=group, encoder=self.encoder)
            assert [(hit.key, hit.content) for hit in hits] == [(second, "green fox runs"), (first, "red fox runs")]
        only = self.db.table(self.collection).c[self.names.columns[1]] == first[1]
        assert [hit.key for hit in self.db.search(self.collection, "fox", filter=only, encoder=self.encoder)] == [first]
        condition = (
            sql.SQL("{} = {}").format(q(self.names.columns[1]), sql.Literal(first[1])).as_string(self.connection)
        )
        assert self.in_sql(condition) == [first]

    def in_sql(self, condition: str) -> list[Any]:
        encoding = self.encoder.encode_query("fox")
        register(self.connection)
        statement = sql.SQL("SELECT * FROM {}($1, $2, filter => $3)").format(
            q("pgencoder", f"{self.collection}_search")
        )
        parameters = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens)), condition]
        rows = psycopg.RawCursor(self.connection).execute(statement.as_bytes(self.connection), parameters)
        return [row[:2] for row in rows]

    def select(self) -> None:
        number, text, title, _ = self.names.columns
        table = sa.Table(
            self.names.table,
            sa.MetaData(schema=self.names.schema),
            sa.Column(number, sa.Integer, primary_key=True, key="number"),
            sa.Column(text, sa.Text, primary_key=True, key="text"),
            sa.Column(title, sa.Text, key="title"),
        )
        search = pgencoder.select(table, "fox", collection=self.collection, db=self.db, encoder=self.encoder)
        search = search.where(table.c.text == self.keys[1][1], table.c.title != "'")
        with self.db.engine.connect() as connection:
            assert [tuple(row[:3]) for row in connection.execute(search)] == [(*self.keys[1], "green fox")]
            by_name = pgencoder.select(self.collection, "green fox", db=self.db, encoder=self.encoder)
            assert [tuple(row[:2]) for row in connection.execute(by_name)] == self.keys[1::-1]

    def explain(self) -> None:
        explained = self.db.explain(self.collection, "green", self.keys[1], encoder=self.encoder)
        assert [(word.word, word.best and word.best.word) for word in explained.words] == [("green", "green")]
        context = self.db.context(self.collection, "fox", encoder=self.encoder)
        assert {each.key for each in context.citations} == set(self.keys[:2])
        assert len(list(self.db.similar_pairs(self.collection, threshold=-0.99))) == 1


@pytest.fixture(scope="module")
def names() -> list[str]:
    return made_names()


def test_the_names_are_hostile(names: list[str]) -> None:
    assert len(set(names)) == NAMES
    assert {len(name.encode()) for name in names} >= {1, 63}
    for each in ("'", '"', "$", "%", ":", "{", "--", "/*", "\\", "\n", EVIL, "pgencoder_filter_goes_here", "🦊"):
        assert sum(each in name for name in names) >= 3, each
    assert sum(name in OWN for name in names) >= 10
    assert sum(name in RESERVED for name in names) >= 5


def test_200_names(connection: Connection, db: Database, words: WordEncoder, names: list[str]) -> None:
    connection.execute(TRAP)
    # nothing is lost if the server dies: it is only a test
    connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(q(connection.info.dbname)))
    connection.execute("SET synchronous_commit = off")
    before = sorted(connection.execute(OBJECTS).fetchall())
    failures: dict[str, str] = {}
    for each in turns(names):
        try:
            Life(connection, db, each, words).run()
        except Exception as error:
            failures[repr(each)] = f"{type(error).__name__}: {error}"
            for collection in db.collections():
                with suppress(Exception):
                    db.detach(collection.name)
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(q(each.schema)))
    assert not failures, f"{len(failures)} of {len(names)} fail:\n" + "\n".join(
        f"{k}\n  {v}" for k, v in failures.items()
    )
    assert value(connection, "SELECT is_called FROM public.fired") is False
    assert sorted(connection.execute(OBJECTS).fetchall()) == before


@pytest.mark.parametrize("place", range(0, NAMES, 25))
def test_other_generations(
    connection: Connection, db: Database, words: WordEncoder, names: list[str], place: int
) -> None:
    """Some of them through a change of the model, too, and through a migration and a repair."""
    connection.execute(TRAP)
    second = WordEncoder(Dims(16, 8), "second")
    each = [*turns(names)][place]
    life = Life(connection, db, each, words)
    life.create()
    life.attach()
    assert db.reencode(life.collection, second) == 1
    life.insert(life.keys[1], "green fox")
    for encoder in (words, second):
        db.sync(life.collection, encoder=encoder)
    db.activate(life.collection)
    db.migrate()
    db.repair(life.collection)
    life.encoder = second
    life.search()
    life.select()
    db.rollback(life.collection)
    db.drop(life.collection)
    db.detach(life.collection)
    assert value(connection, "SELECT is_called FROM public.fired") is False
