"""Everything works through a transaction pooler, where each transaction may have another server connection."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import pgencoder
from pgencoder import Database
from pgencoder.types import KernelName
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.fix_pooler import POOL
from tests.passages import check

# Besides what pgbouncer itself sets for each client
LEFT_BEHIND = """
SELECT pg_backend_pid(), array(SELECT name FROM pg_settings WHERE source = 'session' AND name NOT IN
           ('client_encoding', 'DateStyle', 'TimeZone', 'IntervalStyle', 'standard_conforming_strings',
            'application_name')),
       (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't'),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""


@pytest.fixture
def pooled_url(pooler: Path, url: str) -> str:
    """The URL of this test's database behind the pooler, whose server connections are all open."""
    query = {"host": str(pooler), "port": "6432"}
    pooled = sa.make_url(url).set(query=query).render_as_string(hide_password=False)
    with ExitStack() as stack:
        for _ in range(POOL):
            # not in autocommit, so that each holds a server connection until the last has one
            stack.enter_context(psycopg.connect(pooled)).execute("SELECT 1")
    return pooled


@pytest.fixture
def pooled(pooled_url: str) -> Iterator[Database]:
    with pgencoder.connect(pooled_url) as database:
        yield database


@pytest.fixture
def articles(connection: Connection) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, body text)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i % 2 = 0 THEN 'en' ELSE 'de' END, 'number ' || i"
        " FROM generate_series(1, 700) AS i"
    )
    return connection


def assert_nothing_left_behind(url: str) -> None:
    """No server connection of the pool has a setting, a statement, a lock or a table of some client's."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        rows = [connection.execute(LEFT_BEHIND).fetchone() for _ in range(2 * POOL)]
    found = {row[0]: row[1:] for row in rows if row is not None}
    assert list(found.values()) == [([], 0, 0, 0, 0)] * POOL


def test_a_collection_lives_behind_a_transaction_pooler(
    articles: Connection, pooled: Database, pooled_url: str, db: Database, words: WordEncoder, kernel: KernelName
) -> None:
    assert pooled.attach("articles", ["body"], words) == 700
    assert pooled.attach("articles", ["body"], words, name="exact", tokens="halfvec") == 700
    for name in ("articles", "exact"):
        report = pooled.sync(name)
        assert (report.rows, report.index_built) == (700, True)
        assert check(articles, db, name, words) == 700
    table = pooled.table("articles")
    # more candidates than the default of hnsw.ef_search, which a search raises for itself
    for name in ("articles", "exact"):
        for filter in (None, table.c.lang == "en"):
            through = pooled.search(name, "number 8", k=3, candidates=300, filter=filter)
            assert through[0].key == 8
            assert db.search(name, "number 8", k=3, candidates=300, filter=filter, encoder=words) == through
    articles.execute("UPDATE articles SET body = 'changed' WHERE id = 8; DELETE FROM articles WHERE id = 9")
    assert [state.queued for state in pooled.status()] == [2, 2]
    for name in ("articles", "exact"):
        pooled.sync(name)
        assert check(articles, db, name, words) == 699
    assert pooled.status() == db.status()
    assert pooled.kernel() == db.kernel()
    pooled.detach("exact")
    assert [collection.name for collection in db.collections()] == ["articles"]
    assert_nothing_left_behind(pooled_url)


@pytest.mark.parametrize(
    ("driver", "arguments"),
    [
        ("psycopg", {"prepare_threshold": None}),
        # what SQLAlchemy's documentation says of asyncpg behind pgbouncer
        ("asyncpg", {"statement_cache_size": 0, "prepared_statement_name_func": lambda: f"__{uuid.uuid4()}__"}),
    ],
)
def test_selects_of_async_engines(
    articles: Connection, pooled: Database, words: WordEncoder, driver: str, arguments: dict[str, object]
) -> None:
    pooled.attach("articles", ["body"], words)
    pooled.sync("articles")
    expected = [hit.key for hit in pooled.search("articles", "number 8", candidates=300)]
    url = sa.make_url(pooled.engine.url).set(drivername=f"postgresql+{driver}")

    async def run() -> None:
        engine = create_async_engine(url, poolclass=sa.NullPool, connect_args=arguments)
        for _ in range(2 * POOL):
            async with engine.connect() as connection:
                search = await pgencoder.aselect("articles", "number 8", candidates=300, db=pooled)
                rows = (await connection.execute(search)).all()
                assert [row[0] for row in rows] == expected
                even = search.where(sa.text("lang = 'en'"))
                assert all(row[0] % 2 == 0 for row in (await connection.execute(even)).all())
        await engine.dispose()

    asyncio.run(run())


def test_migrations_through_a_transaction_pooler(
    articles: Connection, pooled: Database, pooled_url: str, words: WordEncoder
) -> None:
    pooled.migrate("base")
    pooled.migrate()
    pooled.migrate()
    pooled.attach("articles", ["body"], words)
    assert pooled.sync("articles").rows == 700
    assert pooled.search("articles", "number 8", k=1)[0].key == 8
    assert_nothing_left_behind(pooled_url)


def test_more_workers_writers_and_searches_than_server_connections(
    articles: Connection, pooled: Database, pooled_url: str, db: Database, words: WordEncoder, kernel: KernelName
) -> None:
    pooled.attach("articles", ["body"], words)
    pooled.sync("articles")
    errors: list[BaseException] = []

    def repeat(work: Callable[[Database], object]) -> None:
        try:
            with pgencoder.connect(pooled_url) as mine:
                for _ in range(5):
                    work(mine)
        except BaseException as error:
            errors.append(error)

    def write(_: Database) -> None:
        with psycopg.connect(pooled_url, prepare_threshold=None) as writer:
            writer.execute("UPDATE articles SET body = body || ' more' WHERE id % 50 = 0")

    def work(mine: Database) -> None:
        mine.sync("articles", encoder=WordEncoder())

    def search(mine: Database) -> None:
        assert len(mine.search("articles", "number 8", k=5, encoder=WordEncoder())) <= 5
        assert len(mine.status()) == 1

    threads = [threading.Thread(target=repeat, args=[task]) for task in (write, work, search) for _ in range(POOL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    pooled.sync("articles")
    assert check(articles, db, "articles", words) == 700
    assert_nothing_left_behind(pooled_url)
