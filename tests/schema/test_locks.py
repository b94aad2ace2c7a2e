"""Nobody holds up migrations and workers by a lock that he has no rights for; who does is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege

import pgencoder
from pgencoder import Database
from pgencoder.db import locks
from pgencoder.db.locks import lock_collection
from pgencoder.errors import InUse
from tests.connections import Connection, value
from tests.encoder import WordEncoder

ROOT = Path(__file__).parents[2]
ROLE, WORKER = "t_holder", "t_locking_worker"
# what was locked before: a number, and hashes of names
ADVISORY = (
    "SELECT pg_advisory_lock(7345211873)",
    "SELECT pg_advisory_lock(hashtextextended('pgencoder collection docs', 0))",
    "SELECT pg_advisory_lock(hashtextextended('pgencoder docs_1_dense', 0))",
    "SELECT pg_advisory_lock(hashtextextended('pgencoder docs_2_dense', 0))",
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", "200ms")


@pytest.fixture
def docs(db: Database, connection: Connection, words: WordEncoder) -> Database:
    connection.execute("CREATE TABLE docs (id int PRIMARY KEY, body text); INSERT INTO docs VALUES (1, 'word')")
    db.attach("docs", ["body"], words)
    return db


@pytest.fixture
def holder(docs: Database, connection: Connection, url: str) -> Iterator[Connection]:
    """A role that may read what searches read."""
    connection.execute(
        f"DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} LOGIN; GRANT USAGE ON SCHEMA pgencoder TO {ROLE};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA pgencoder TO {ROLE}; GRANT SELECT ON docs TO {ROLE}".encode()
    )
    with psycopg.connect(sa.make_url(url).set(username=ROLE).render_as_string(False)) as holder:
        yield holder
        holder.rollback()
    connection.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}".encode())


def test_no_lock_is_one_that_anyone_can_take(docs: Database, holder: Connection, words: WordEncoder, url: str) -> None:
    for statement in ADVISORY:
        holder.execute(statement.encode())
    # what waited for them would fail, and not hang
    with pgencoder.connect(sa.make_url(url).update_query_dict({"options": "-c lock_timeout=10s"})) as db:
        db.migrate()
        db.use_kernel("sql")
        assert db.sync("docs", encoder=words).index_built
        new = WordEncoder(name="new words")
        db.reencode("docs", new)
        assert db.sync("docs", encoder=new).index_built
        db.activate("docs")
        db.drop("docs")
        db.detach("docs")


def test_advisory_locks_are_not_used() -> None:
    files = [*(ROOT / "sql").rglob("*.sql"), *(ROOT / "pgencoder").rglob("*.py")]
    assert len(files) > 100
    assert not [path.name for path in files if "advisory_" in path.read_text()]


def test_a_reader_can_lock_nothing(holder: Connection) -> None:
    for statement in (
        "LOCK TABLE pgencoder.revision IN SHARE ROW EXCLUSIVE MODE",
        "LOCK TABLE pgencoder.revision IN ROW EXCLUSIVE MODE",
        "SELECT FROM pgencoder.generation FOR KEY SHARE",
        "SELECT FROM pgencoder.generation FOR UPDATE",
        "SELECT FROM pgencoder.revision FOR KEY SHARE",
    ):
        with pytest.raises(InsufficientPrivilege):
            holder.execute(statement.encode())
        holder.rollback()


@pytest.mark.usefixtures("impatient")
def test_a_migration_names_who_holds_it_up(docs: Database, holder: Connection) -> None:
    holder.execute("SELECT FROM pgencoder.docs_passages, pgencoder.revision")
    for revision in ("head", "base"):
        with pytest.raises(InUse, match=rf"server processes .*{holder.info.backend_pid} \({ROLE}, idle in") as raised:
            docs.migrate(revision)
        assert "\n" not in str(raised.value)
    holder.rollback()
    docs.migrate()


@pytest.mark.usefixtures("impatient")
def test_a_migration_waits_for_another(docs: Database, connection: Connection) -> None:
    with connection.transaction():
        locks.lock_migrations(connection)
        for revision in ("head", "base"):
            with pytest.raises(InUse, match=rf"server processes .*{connection.info.backend_pid} \("):
                docs.migrate(revision)
    docs.migrate()


@pytest.mark.usefixtures("impatient")
def test_a_worker_keeps_the_generations_of_a_collection(docs: Database, connection: Connection, url: str) -> None:
    connection.execute(
        f"DROP ROLE IF EXISTS {WORKER}; CREATE ROLE {WORKER} LOGIN; GRANT USAGE ON SCHEMA pgencoder TO {WORKER};"
        f"GRANT SELECT, UPDATE (queued_to, queued_at) ON pgencoder.generation TO {WORKER}".encode()
    )
    try:
        as_worker = sa.make_url(url).set(username=WORKER).render_as_string(False)
        with psycopg.connect(as_worker) as one, psycopg.connect(as_worker) as two:
            for each in (one, two):  # they do not keep each other from it, nor from noting how far they are
                lock_collection(each, "docs", shared=True)
                each.execute("SET lock_timeout = '1s'")
            two.execute("UPDATE pgencoder.generation SET queued_at = now()")
            two.rollback()
            for call in (lambda: docs.detach("docs"), lambda: docs.reencode("docs", WordEncoder(name="other"))):
                with pytest.raises(
                    InUse,
                    match=rf"server processes work on the collection 'docs': {one.info.backend_pid} \({WORKER}, idle",
                ):
                    call()
            one.rollback()
            with connection.transaction():
                lock_collection(connection, "docs")
                one.execute("SET lock_timeout = '100ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    lock_collection(one, "docs", shared=True)
                assert value(connection, "SHOW lock_timeout") == "0"
            docs.detach("docs")
    finally:
        connection.execute(f"DROP OWNED BY {WORKER}; DROP ROLE {WORKER}".encode())


@pytest.mark.parametrize("beforehand", ["", "CREATE SCHEMA pgencoder"])
def test_first_migrations_at_once(empty: Connection, empty_url: str, beforehand: str) -> None:
    if beforehand:
        empty.execute(beforehand.encode())
    databases = [pgencoder.connect(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(each.migrate) for each in databases]:
            done.result()
    for each in databases:
        assert each.collections() == []
        each.close()
