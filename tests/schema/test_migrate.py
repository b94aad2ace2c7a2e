"""Installing, upgrading, removing; and what is said when it cannot be done."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import kernel
from pgencoder.errors import (
    ConnectionFailed,
    InvalidRequest,
    MissingRights,
    NativeUnavailable,
    NotMigrated,
    UnsupportedServer,
)
from pgencoder.schema import migrate
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check
from tests.snapshots import catalog


@pytest.fixture
def fresh(empty_url: str) -> Iterator[pgencoder.Database]:
    database = pgencoder.connect(empty_url)
    yield database
    database.close()


def test_twice_changes_nothing(fresh: pgencoder.Database, empty_url: str) -> None:
    fresh.migrate()
    once = catalog(empty_url)
    fresh.migrate()
    assert catalog(empty_url) == once


def test_an_upgrade_equals_a_fresh_install(fresh: pgencoder.Database, empty_url: str) -> None:
    fresh.migrate()
    installed = catalog(empty_url)
    fresh.migrate("base")
    for revision in [*migrate._known(), "head"]:
        fresh.migrate(revision)
    assert catalog(empty_url) == installed


def test_base_leaves_nothing_behind(
    fresh: pgencoder.Database, empty: Connection, empty_url: str, words: WordEncoder
) -> None:
    empty.execute("CREATE TABLE articles (id int PRIMARY KEY, body text); INSERT INTO articles VALUES (1, 'word')")
    before = catalog(empty_url)
    fresh.migrate()
    fresh.attach("articles", ["body"], words)
    fresh.sync("articles")
    assert catalog(empty_url) != before
    fresh.migrate("base")
    assert catalog(empty_url) == before
    fresh.migrate("base")
    with pytest.raises(NotMigrated, match="run: pgencoder migrate"):
        fresh.collections()


def test_pgvector_that_was_there_stays(fresh: pgencoder.Database, empty: Connection, empty_url: str) -> None:
    empty.execute("CREATE EXTENSION vector")
    before = catalog(empty_url)
    fresh.migrate()
    fresh.migrate("base")
    assert catalog(empty_url) == before


def test_pgvector_that_someone_uses_by_now_stays(fresh: pgencoder.Database, empty: Connection) -> None:
    fresh.migrate()
    empty.execute("CREATE TABLE mine (id int, v vector(3)); INSERT INTO mine VALUES (1, '[1,2,3]')")
    fresh.migrate("base")
    assert empty.execute("SELECT v::text FROM mine").fetchone() == ("[1,2,3]",)


@pytest.mark.parametrize("schema", ["extensions", 'My "Ext"'])
def test_pgvector_in_a_schema_off_the_search_path(
    fresh: pgencoder.Database, empty: Connection, words: WordEncoder, schema: str
) -> None:
    quoted = psycopg.sql.Identifier(schema)
    empty.execute(psycopg.sql.SQL("CREATE SCHEMA {0}; CREATE EXTENSION vector SCHEMA {0}").format(quoted))
    empty.execute(
        "CREATE TABLE articles (id int PRIMARY KEY, body text); INSERT INTO articles VALUES (1, 'word'), (2, 'other')"
    )
    fresh.migrate()
    fresh.attach("articles", ["body"], words)
    fresh.attach("articles", ["body"], words, name="halfvecs", tokens="halfvec")
    for name in ("articles", "halfvecs"):
        fresh.sync(name)
        assert fresh.search(name, "word", k=1)[0].key == 1
    found = empty.execute(
        psycopg.sql.SQL(
            "SELECT id FROM pgencoder.halfvecs_search((SELECT dense FROM pgencoder.halfvecs_1 WHERE id = 2),"
            " (SELECT tokens FROM pgencoder.halfvecs_1 WHERE id = 2), k => 1)"
        ).format(quoted)
    ).fetchone()
    assert found == (2,)
    empty.execute(psycopg.sql.SQL("SET search_path = public, {}").format(quoted))
    assert check(empty, fresh, "articles", words) == 2


def test_collections_survive_another_migrate(
    db: pgencoder.Database, connection: Connection, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text); INSERT INTO articles VALUES (1, 'word')")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    connection.execute("DROP FUNCTION pgencoder.articles_search")
    db.migrate()
    assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname = 'articles_search'").fetchone() == (1,)
    assert check(connection, db, "articles", words) == 1


def test_a_revision_of_another_version_is_named(fresh: pgencoder.Database, empty: Connection, empty_url: str) -> None:
    fresh.migrate()
    empty.execute("UPDATE pgencoder.revision SET version_num = '9999'")
    with pgencoder.connect(empty_url) as other:
        for use in (other.migrate, other.collections):
            with pytest.raises(NotMigrated, match=r"at revision 9999, which this version .* does not know") as raised:
                use()
            assert "\n" not in str(raised.value)


def test_a_role_without_rights_is_told_the_grant(fresh: pgencoder.Database, empty: Connection, empty_url: str) -> None:
    empty.execute("DROP ROLE IF EXISTS nobody_special; CREATE ROLE nobody_special LOGIN")
    try:
        with pgencoder.connect(str(sa.make_url(empty_url).set(username="nobody_special"))) as limited:
            with pytest.raises(MissingRights, match="GRANT CREATE ON DATABASE") as raised:
                limited.migrate()
            assert "\n" not in str(raised.value)
            fresh.migrate()
            with pytest.raises(MissingRights, match="does not own the schema"):
                limited.migrate()
            with pytest.raises(MissingRights, match="Rights"):
                limited.collections()
    finally:
        empty.execute("DROP OWNED BY nobody_special; DROP ROLE nobody_special")


def test_an_owner_who_is_no_superuser_can_do_all(empty: Connection, empty_url: str, words: WordEncoder) -> None:
    database = empty.info.dbname
    empty.execute("DROP ROLE IF EXISTS plain_owner; CREATE ROLE plain_owner LOGIN")
    empty.execute(
        psycopg.sql.SQL(
            "GRANT CREATE ON DATABASE {} TO plain_owner; GRANT CREATE ON SCHEMA public TO plain_owner"
        ).format(psycopg.sql.Identifier(database))
    )
    owner = pgencoder.connect(str(sa.make_url(empty_url).set(username="plain_owner")))
    try:
        with pytest.raises(MissingRights, match=r"as a superuser .*: CREATE EXTENSION vector"):
            owner.migrate()
        empty.execute("CREATE EXTENSION vector")
        owner.migrate()
        with owner.connection() as connection:
            connection.execute("CREATE TABLE public.articles (id int PRIMARY KEY, body text)")
            connection.execute("INSERT INTO articles VALUES (1, 'word')")
        owner.attach("articles", ["body"], words)
        assert owner.sync("articles").index_built
        assert owner.search("articles", "word")[0].key == 1
        with owner.connection() as connection:
            connection.execute("TRUNCATE articles")
            owner.sync("articles")
            assert check(connection, owner, "articles", words) == 0
        owner.migrate("base")
    finally:
        owner.close()
        empty.execute("DROP OWNED BY plain_owner CASCADE; DROP ROLE plain_owner")


def test_a_server_without_the_native_extension(db: pgencoder.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "EXTENSION", "pgencoder_absent")
    assert (db.kernel().name, db.kernel().version) == ("sql", None)
    assert db.kernel().why == "the server has no extension pgencoder_absent; run: pgencoder native install"
    with pytest.raises(NativeUnavailable, match="on its machine, run: pgencoder native install"):
        db.use_kernel("native")
    db.migrate()
    assert db.kernel().name == "sql"


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nonsense", InvalidRequest, "write postgresql://user@host/database"),
        ("mysql://localhost/x", InvalidRequest, "not a Postgres URL"),
        ("postgresql://localhost:1/x", ConnectionFailed, "check the URL"),
    ],
)
def test_wrong_urls(url: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        pgencoder.connect(url).migrate()
    assert "\n" not in str(raised.value)


def test_a_missing_database(empty_url: str) -> None:
    url = sa.make_url(empty_url).set(database="no_such_database")
    with pytest.raises(ConnectionFailed, match="no_such_database"):
        pgencoder.connect(str(url)).migrate()


def test_a_database_that_is_not_migrated(fresh: pgencoder.Database, words: WordEncoder) -> None:
    with pytest.raises(NotMigrated, match="run: pgencoder migrate"):
        fresh.attach("articles", ["body"], words)
    with pytest.raises(NotMigrated, match="no pgencoder schema"):
        fresh.status()


SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.mark.skipif(
    not SERVERS or os.geteuid() != 0, reason="needs another Postgres without pgvector, and root to run it"
)
def test_a_server_without_pgvector() -> None:
    home = Path(tempfile.mkdtemp(prefix="pgencoder-bare-"))
    data, binaries = home / "data", SERVERS[0].parent
    shutil.chown(home, "pgserver")

    def run(*command: str) -> None:
        subprocess.run(["runuser", "-u", "pgserver", "--", *command], check=True, capture_output=True, cwd="/")

    run(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust")
    if (data.parent / "data" / "PG_VERSION").read_text().strip() < "15":
        pytest.skip("older than 15")
    run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log"), "-o", f"-h '' -k {home}", "start")
    try:
        with (
            pgencoder.connect(f"postgresql://postgres@/postgres?host={home}") as bare,
            pytest.raises(UnsupportedServer, match="has no pgvector") as raised,
        ):
            bare.migrate()
        assert "\n" not in str(raised.value)
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home)


def test_an_extension_that_is_too_old_is_named(fresh: pgencoder.Database, empty: Connection) -> None:
    """The oldest pgvector whose scripts this server carries, if it is older than 0.8."""
    rows = empty.execute(
        "SELECT version FROM pg_available_extension_versions WHERE name = 'vector' AND version ~ '^0[.][0-7]'"
    )
    old = [version for (version,) in rows]
    if not old:
        pytest.skip("this server carries the scripts of pgvector 0.8 only")
    empty.execute(f"CREATE EXTENSION vector VERSION '{max(old)}'".encode())
    with pytest.raises(UnsupportedServer, match="ALTER EXTENSION vector UPDATE"):
        fresh.migrate()
