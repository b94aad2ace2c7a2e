"""The kernel of a database: switching, dropping and upgrading the extension, and whose rights each of it needs."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.errors import MissingRights, NativeUnavailable
from pgencoder.kernel import native
from pgencoder.types import KernelName
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.snapshots import catalog

pytestmark = pytest.mark.usefixtures("native_available")

SCORE = "SELECT pgencoder.maxsim(array['[1,0]', '[0,1]']::halfvec[], array['[0.6,0.8]', '[1,0]']::halfvec[])"
SIGNED = "SELECT pgencoder.maxsim(array['[1,0]']::halfvec[], array[B'10'])"


def test_dropping_the_extension_brings_pure_sql_back(connection: Connection, db: Database, url: str) -> None:
    before = catalog(url)
    connection.execute(f"CREATE VIEW scored AS {SCORE} AS score; CREATE TABLE t (d halfvec[]);".encode())
    connection.execute("CREATE INDEX scored_index ON t (pgencoder.maxsim(array['[1,0]']::halfvec[], d))")
    db.use_kernel("native")
    assert (db.kernel().name, value(connection, "SELECT pgencoder.kernel()")) == ("native", "native")
    assert value(connection, SIGNED) == pytest.approx(2**-0.5)
    native_score = value(connection, "SELECT * FROM scored")
    connection.execute("DROP EXTENSION pgencoder_native")
    assert value(connection, "SELECT pgencoder.kernel()") == "sql"
    assert "run: pgencoder native install" in db.kernel().why
    assert value(connection, "SELECT * FROM scored") == pytest.approx(native_score)
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="needs the extension pgencoder_native"):
        connection.execute(SIGNED.encode())
    connection.execute("DROP VIEW scored; DROP TABLE t")
    assert catalog(url) == before


def test_a_drop_that_is_rolled_back_changes_nothing(native_server: Connection) -> None:
    with native_server.transaction(force_rollback=True):
        native_server.execute("DROP EXTENSION pgencoder_native")
        assert value(native_server, "SELECT pgencoder.kernel()") == "sql"
    assert value(native_server, "SELECT pgencoder.kernel()") == "native"
    assert value(native_server, SIGNED) == pytest.approx(2**-0.5)


def test_statements_that_are_open_follow_the_switch(native_server: Connection) -> None:
    native_server.execute(f"PREPARE score AS {SCORE}".encode())
    scores = [value(native_server, "EXECUTE score")]
    native_server.execute("SELECT pgencoder.use_kernel('sql')")
    scores.append(value(native_server, "EXECUTE score"))
    native_server.execute("DROP EXTENSION pgencoder_native")
    scores.append(value(native_server, "EXECUTE score"))
    assert scores == pytest.approx([1.8] * 3, abs=1e-3)


def test_switching_both_ways(native_server: Connection, db: Database) -> None:
    db.use_kernel("sql")
    assert (db.kernel().name, db.kernel().version) == ("sql", "1.0")
    assert "use_kernel('native')" in db.kernel().why
    db.migrate()  # prefers the extension where the database has it
    assert db.kernel().name == "native"
    for name in ("'c'", "NULL"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"no kernel .*, only sql and native"):
            native_server.execute(f"SELECT pgencoder.use_kernel({name})".encode())
    native_server.execute("DROP EXTENSION pgencoder_native")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="has no extension pgencoder_native"):
        native_server.execute("SELECT pgencoder.use_kernel('native')")
    db.use_kernel("sql")


def test_migrations_at_the_same_time_do_not_fail(url: str, db: Database) -> None:
    db.use_kernel("native")
    errors: list[BaseException] = []

    def migrate(name: KernelName) -> None:
        try:
            with pgencoder.connect(url) as other:
                for _ in range(4):
                    other.migrate()
                    other.use_kernel(name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=[name]) for name in ("native", "sql", "native")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    db.migrate()
    assert db.kernel().name == "native"


def test_a_library_that_is_lost_leaves_pure_sql(db: Database, connection: Connection, url: str) -> None:
    """As after a new virtual environment, or a restore where the extension was never installed."""
    db.use_kernel("native")
    # in this database only: other tests use the files at the same time
    connection.execute("UPDATE pg_proc SET probin = '$libdir/lost' WHERE probin LIKE '%pgencoder_native'")
    with pgencoder.connect(url) as other:
        why = other.kernel().why
        assert "cannot be used" in why
        assert "run: pgencoder native install" in why
        other.migrate()
        assert other.kernel().name == "sql"
        assert "cannot be used" in other.kernel().why
        with pytest.raises(NativeUnavailable, match="ALTER EVENT TRIGGER pgencoder_native_before_drop DISABLE"):
            other.use_kernel("native")
        with psycopg.connect(url, autocommit=True) as fresh:
            assert value(fresh, SCORE) == pytest.approx(1.8, abs=1e-3)
            fresh.execute("ALTER EVENT TRIGGER pgencoder_native_before_drop DISABLE")
            fresh.execute("DROP EXTENSION pgencoder_native")
    db.use_kernel("native")


def test_an_extension_that_was_there_stays_when_pgencoder_goes(empty: Connection, empty_url: str) -> None:
    empty.execute("CREATE EXTENSION vector; CREATE EXTENSION pgencoder_native")
    before = catalog(empty_url)
    with pgencoder.connect(empty_url) as fresh:
        fresh.migrate()
        assert fresh.kernel().name == "native"
        fresh.migrate("base")
    assert catalog(empty_url) == before


def test_migrating_to_base_takes_the_extension_along(empty: Connection, empty_url: str) -> None:
    before = catalog(empty_url)
    with pgencoder.connect(empty_url) as fresh:
        fresh.migrate()
        fresh.use_kernel("native")
        fresh.migrate("base")
    assert catalog(empty_url) == before


@pytest.fixture
def owner(empty: Connection, empty_url: str) -> Iterator[Database]:
    """Somebody who is no superuser but may create a schema, in a database with pgvector."""
    empty.execute("CREATE EXTENSION vector; DROP ROLE IF EXISTS kernel_owner; CREATE ROLE kernel_owner LOGIN")
    empty.execute(
        psycopg.sql.SQL("GRANT CREATE ON DATABASE {} TO kernel_owner").format(psycopg.sql.Identifier(empty.info.dbname))
    )
    with pgencoder.connect(str(sa.make_url(empty_url).set(username="kernel_owner"))) as database:
        yield database
    empty.execute("DROP OWNED BY kernel_owner CASCADE; DROP ROLE kernel_owner")


def test_the_owner_of_the_schema_installs_and_drops_without_a_superuser(owner: Database, empty: Connection) -> None:
    owner.migrate()
    owner.use_kernel("native")
    assert value(empty, SIGNED) == pytest.approx(2**-0.5)
    with owner.connection() as connection:
        connection.execute("DROP EXTENSION pgencoder_native")
    assert owner.kernel().name == "sql"


def test_a_superuser_who_drops_it_runs_nothing_with_his_rights(owner: Database, empty: Connection) -> None:
    owner.migrate()
    owner.use_kernel("native")
    with owner.connection() as connection:
        connection.execute("CREATE TABLE pgencoder.who (who text)")
        connection.execute(
            "CREATE OR REPLACE FUNCTION pgencoder.use_kernel(kernel text) RETURNS text LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO pgencoder.who VALUES (current_user); RETURN kernel; END $$"
        )
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        empty.execute("DROP EXTENSION pgencoder_native")
    with owner.connection() as connection:
        connection.execute("ALTER FUNCTION pgencoder.use_kernel(text) RENAME TO kept")
        connection.execute(
            "CREATE FUNCTION pgencoder.use_kernel(kernel text) RETURNS text LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'as %', current_user; END $$"
        )
    with pytest.raises(psycopg.errors.RaiseException, match="as kernel_owner"):
        empty.execute("DROP EXTENSION pgencoder_native")
    assert value(empty, "SELECT current_user") == "postgres"
    # nor can it change his settings
    path = value(empty, "SHOW search_path")
    with owner.connection() as connection:
        connection.execute("DROP SCHEMA pgencoder CASCADE; CREATE SCHEMA pgencoder")
        connection.execute(
            "CREATE FUNCTION pgencoder.use_kernel(kernel text) RETURNS text LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM set_config('search_path', 'evil', false); RETURN kernel; END $$"
        )
    empty.execute("DROP EXTENSION pgencoder_native")
    assert value(empty, "SHOW search_path") == path


def test_an_owner_switches_an_extension_that_is_a_superusers(owner: Database, empty: Connection) -> None:
    empty.execute("CREATE EXTENSION pgencoder_native")
    owner.migrate()
    assert owner.kernel().name == "native"
    owner.use_kernel("sql")
    owner.use_kernel("native")
    assert owner.kernel().name == "native"
    empty.execute("DROP EXTENSION pgencoder_native")
    assert owner.kernel().name == "sql"


def test_a_role_that_may_not_create_it_is_told(db: Database, connection: Connection, url: str) -> None:
    connection.execute("DROP ROLE IF EXISTS kernel_reader; CREATE ROLE kernel_reader LOGIN")
    connection.execute(
        "GRANT USAGE ON SCHEMA pgencoder TO kernel_reader; GRANT SELECT ON pgencoder.revision TO kernel_reader"
    )
    try:
        with (
            pgencoder.connect(str(sa.make_url(url).set(username="kernel_reader"))) as reader,
            pytest.raises(MissingRights, match="CREATE EXTENSION pgencoder_native, then: pgencoder migrate"),
        ):
            reader.use_kernel("native")
        db.use_kernel("native")
        with pgencoder.connect(str(sa.make_url(url).set(username="kernel_reader"))) as reader:
            assert reader.kernel().name == "native"
            with reader.connection() as as_reader:
                assert value(as_reader, SIGNED) == pytest.approx(2**-0.5)
    finally:
        connection.execute("DROP OWNED BY kernel_reader; DROP ROLE kernel_reader")


def test_a_dump_restores_into_a_new_database(
    native_server: Connection, db: Database, words: WordEncoder, url: str
) -> None:
    native_server.execute(
        "CREATE TABLE articles (id int PRIMARY KEY, body text); INSERT INTO articles VALUES (1, 'a'), (2, 'b')"
    )
    db.attach("articles", ["body"], words)
    db.sync("articles")
    hits = db.search("articles", "b")
    binaries = native.embedded_server().pg_config.parent
    dump = subprocess.run([binaries / "pg_dump", url], check=True, capture_output=True).stdout
    name = f"{native_server.info.dbname}_restored"
    native_server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
    native_server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    restored = str(sa.make_url(url).set(database=name))
    try:
        subprocess.run(
            [binaries / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", restored],
            input=dump, check=True, capture_output=True)  # fmt: skip
        assert catalog(restored) == catalog(url)
        with pgencoder.connect(restored) as other:
            assert other.kernel().name == "native"
            assert other.search("articles", "b", encoder=words) == hits
            other.use_kernel("sql")
            with other.connection() as connection:
                connection.execute("DROP EXTENSION pgencoder_native")
    finally:
        native_server.execute(f"DROP DATABASE {name}".encode())
