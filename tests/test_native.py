"""The extension in a server: switching, dropping, upgrading, rights, interrupts, memory, plans."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database, native, vectors
from pgencoder.db import kernel
from pgencoder.errors import MissingRights, NativeUnavailable, NotMigrated
from pgencoder.query import Search, search_statement
from pgencoder.types import KernelName
from pgencoder.vectors import HalfvecArray, normalize

from .conftest import WITHOUT_NATIVE, Connection
from .encoder import WordEncoder
from .test_migrate import catalog

ROOT = Path(__file__).parent.parent
SCORE = "SELECT pgencoder.maxsim(array['[1,0]', '[0,1]']::halfvec[], array['[0.6,0.8]', '[1,0]']::halfvec[])"
SIGNED = "SELECT pgencoder.maxsim(array['[1,0]']::halfvec[], array[B'10'])"


@pytest.fixture(autouse=True)
def _available(pytestconfig: pytest.Config) -> None:
    if (reason := pytestconfig.stash[WITHOUT_NATIVE]) is not None:
        pytest.skip(reason)


@pytest.fixture
def server(connection: Connection, native_kernel: None) -> Connection:
    vectors.register(connection)
    return connection


def value(connection: Connection, statement: str, parameters: list[object] | None = None) -> object:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


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


def test_a_drop_that_is_rolled_back_changes_nothing(server: Connection) -> None:
    with server.transaction(force_rollback=True):
        server.execute("DROP EXTENSION pgencoder_native")
        assert value(server, "SELECT pgencoder.kernel()") == "sql"
    assert value(server, "SELECT pgencoder.kernel()") == "native"
    assert value(server, SIGNED) == pytest.approx(2**-0.5)


def test_statements_that_are_open_follow_the_switch(server: Connection) -> None:
    server.execute(f"PREPARE score AS {SCORE}".encode())
    scores = [value(server, "EXECUTE score")]
    server.execute("SELECT pgencoder.use_kernel('sql')")
    scores.append(value(server, "EXECUTE score"))
    server.execute("DROP EXTENSION pgencoder_native")
    scores.append(value(server, "EXECUTE score"))
    assert scores == pytest.approx([1.8] * 3, abs=1e-3)


def test_switching_both_ways(server: Connection, db: Database) -> None:
    db.use_kernel("sql")
    assert (db.kernel().name, db.kernel().version) == ("sql", "1.1")
    assert "use_kernel('native')" in db.kernel().why
    db.migrate()  # prefers the extension where the database has it
    assert db.kernel().name == "native"
    for name in ("'c'", "NULL"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"no kernel .*, only sql and native"):
            server.execute(f"SELECT pgencoder.use_kernel({name})".encode())
    server.execute("DROP EXTENSION pgencoder_native")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="has no extension pgencoder_native"):
        server.execute("SELECT pgencoder.use_kernel('native')")
    db.use_kernel("sql")


def test_the_version_before_can_be_upgraded(connection: Connection, db: Database, url: str) -> None:
    db.use_kernel("native")
    fresh = catalog(url)
    connection.execute("DROP EXTENSION pgencoder_native")
    connection.execute("CREATE EXTENSION pgencoder_native VERSION '1.0'")
    connection.execute("SELECT pgencoder.use_kernel('native')")
    assert db.kernel().version == "1.0"
    # 1.0 could not go by itself, but it does not break anything either
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        connection.execute("DROP EXTENSION pgencoder_native")
    connection.execute("ALTER EXTENSION pgencoder_native UPDATE")
    connection.execute(f"COMMENT ON EXTENSION pgencoder_native IS '{kernel.MADE}'".encode())
    assert catalog(url) == fresh
    connection.execute("DROP EXTENSION pgencoder_native; CREATE EXTENSION pgencoder_native VERSION '1.0'")
    db.migrate()
    connection.execute(f"COMMENT ON EXTENSION pgencoder_native IS '{kernel.MADE}'".encode())
    assert catalog(url) == fresh


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
    server = native.embedded_server()
    library = server.libraries / "pgencoder_native.so"
    away = library.with_suffix(".away")
    library.rename(away)
    try:
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
    finally:
        away.rename(library)
    db.use_kernel("native")


def test_functions_from_before_the_kernels_must_be_migrated(db: Database, connection: Connection) -> None:
    connection.execute("DROP FUNCTION pgencoder.use_kernel; UPDATE pgencoder.revision SET version_num = '0002'")
    with pytest.raises(NotMigrated, match="run: pgencoder migrate"):
        db.kernel()
    with pytest.raises(NotMigrated, match="run: pgencoder migrate"):
        db.use_kernel("native")
    db.migrate()
    db.use_kernel("native")


def test_an_extension_that_was_there_stays_when_pgencoder_goes(empty: Connection, empty_url: str) -> None:
    empty.autocommit = True
    empty.execute("CREATE EXTENSION vector; CREATE EXTENSION pgencoder_native")
    before = catalog(empty_url)
    with pgencoder.connect(empty_url) as fresh:
        fresh.migrate()
        assert fresh.kernel().name == "native"
        fresh.migrate("base")
    assert catalog(empty_url) == before


def test_migrating_to_base_takes_the_extension_along(empty: Connection, empty_url: str) -> None:
    empty.autocommit = True
    before = catalog(empty_url)
    with pgencoder.connect(empty_url) as fresh:
        fresh.migrate()
        fresh.use_kernel("native")
        fresh.migrate("base")
    assert catalog(empty_url) == before


@pytest.fixture
def owner(empty: Connection, empty_url: str) -> Iterator[Database]:
    """Somebody who is no superuser but may create a schema, in a database with pgvector."""
    empty.autocommit = True
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


def test_a_dump_restores_into_a_new_database(server: Connection, db: Database, words: WordEncoder, url: str) -> None:
    server.execute(
        "CREATE TABLE articles (id int PRIMARY KEY, body text); INSERT INTO articles VALUES (1, 'a'), (2, 'b')"
    )
    db.attach("articles", ["body"], words)
    db.sync("articles")
    hits = db.search("articles", "b")
    binaries = native.embedded_server().pg_config.parent
    dump = subprocess.run([binaries / "pg_dump", url], check=True, capture_output=True).stdout
    name = f"{server.info.dbname}_restored"
    server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
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
        server.execute(f"DROP DATABASE {name}".encode())


def test_each_processors_instructions_give_the_same(server: Connection) -> None:
    generator = np.random.default_rng(7)
    query, document = (HalfvecArray(normalize(generator.standard_normal((n, 65)))) for n in (21, 50))
    calls = {
        "halfvec": "pgencoder.maxsim(%(q)s, %(d)s)",
        "vector": "pgencoder.maxsim(%(q)s::vector[], %(d)s::vector[])",
        "bit": "pgencoder.maxsim(pgencoder.binary_quantize(%(q)s), pgencoder.binary_quantize(%(d)s))",
        "sign": "pgencoder.maxsim(%(q)s, pgencoder.binary_quantize(%(d)s))",
    }
    found = {}
    for simd in ("avx512", "avx2", "neon", "neondot", "plain", "auto"):
        try:
            server.execute(f"SET pgencoder_native.simd = {simd}".encode())
        except psycopg.errors.InvalidParameterValue:
            continue
        name = value(server, "SELECT pgencoder_native.simd()")
        assert simd in ("auto", name)
        row = server.execute(f"SELECT {', '.join(calls.values())}".encode(), {"q": query, "d": document}).fetchone()
        assert row is not None
        found[simd] = row
    assert {"plain", "auto"} <= set(found)
    for row in found.values():
        assert row[:2] == pytest.approx(found["plain"][:2], abs=1e-5)
        assert row[2:] == found["plain"][2:]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        server.execute("SET pgencoder_native.simd = 'quantum'")


def test_a_query_that_changes_between_calls_is_noticed(server: Connection) -> None:
    """PL/pgSQL keeps an expression's state while its variables change, also where the memory is the same."""
    server.execute("CREATE TABLE q (n int, tokens halfvec[])")
    server.execute("INSERT INTO q SELECT n, array[('[' || n || ',0]')::halfvec] FROM generate_series(1, 50) AS n")
    # out of line, and compressed
    server.execute(
        "INSERT INTO q SELECT n, array_agg(('[' || n || ',0]')::halfvec) FROM generate_series(51, 100) AS n,"
        " generate_series(1, 1000) GROUP BY n"
    )
    server.execute(
        "CREATE FUNCTION pg_temp.each() RETURNS SETOF float8 LANGUAGE plpgsql AS $$"
        " DECLARE t halfvec[]; n int; BEGIN FOR n, t IN SELECT q.n, tokens FROM q ORDER BY 1 LOOP"
        " RETURN NEXT pgencoder.maxsim(t, array['[1,0]', '[0.5,0]']::halfvec[]) / cardinality(t); END LOOP; END $$"
    )
    expected = [(float(n),) for n in range(1, 101)]
    assert server.execute("SELECT * FROM pg_temp.each()").fetchall() == expected
    # a query that is a column, and one that is built anew for each row
    assert server.execute(
        "SELECT pgencoder.maxsim(tokens, array['[1,0]']::halfvec[]) / cardinality(tokens) FROM q ORDER BY n"
    ).fetchall() == expected  # fmt: skip
    assert server.execute(
        "SELECT pgencoder.maxsim(array[('[' || n || ',0]')::halfvec], array['[1,0]']::halfvec[]) FROM q ORDER BY n"
    ).fetchall() == expected  # fmt: skip


@pytest.mark.parametrize(
    ("storage", "tokens"),
    [(storage, tokens) for storage in ("MAIN", "EXTERNAL", "EXTENDED") for tokens in (1, 2, 3, 9, 240)]
    + [("PLAIN", 9)],
)
def test_documents_in_every_kind_of_storage(server: Connection, storage: str, tokens: int) -> None:
    generator = np.random.default_rng(tokens)
    # ones compress, random numbers do not; the shortest bit arrays have a header of one byte
    kinds = {"random": generator.standard_normal((tokens, 64)), "same": np.ones((tokens, 64))}
    query = normalize(generator.standard_normal((5, 64))).astype(np.float16)
    server.execute("CREATE TABLE d (name text, halves halfvec[], bits bit(64)[])")
    server.execute(f"ALTER TABLE d ALTER halves SET STORAGE {storage}, ALTER bits SET STORAGE {storage}".encode())
    for name, made in kinds.items():
        server.execute(
            "INSERT INTO d VALUES (%s, %s, pgencoder.binary_quantize(%s))",
            [name, HalfvecArray(normalize(made)), HalfvecArray(made)],
        )
    for name, made in kinds.items():
        halves, bits = normalize(made).astype(np.float16), np.where(made > 0, 1, -1) / 8
        row = server.execute(
            "SELECT pgencoder.maxsim(%(q)s, halves), pgencoder.maxsim(%(q)s, bits) FROM d WHERE name = %(name)s",
            {"q": HalfvecArray(query), "name": name},
        ).fetchone()
        assert row is not None
        floats = query.astype(np.float64)
        assert row[0] == pytest.approx((floats @ halves.astype(np.float64).T).max(axis=1).sum(), abs=1e-4)
        assert row[1] == pytest.approx((floats @ bits.T).max(axis=1).sum(), abs=0.02)


def test_a_long_call_can_be_cancelled(server: Connection) -> None:
    server.execute(
        "CREATE TABLE long AS SELECT array_agg(array_fill(0.1::real, array[64])::vector::halfvec) AS tokens"
        " FROM generate_series(1, 100000)"
    )
    for function in ("maxsim", "maxsim_pairs"):
        server.execute("SET statement_timeout = '200ms'")
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            server.execute(f"SELECT pgencoder.{function}(tokens, tokens) FROM long".encode())
        # the whole of it would take minutes
        assert time.monotonic() - started < 20
        server.execute("RESET statement_timeout")


def test_memory_does_not_grow(server: Connection) -> None:
    server.execute("CREATE TABLE d (tokens halfvec[], packed halfvec[])")
    server.execute("ALTER TABLE d ALTER tokens SET STORAGE EXTERNAL")
    server.execute(
        "INSERT INTO d SELECT tokens, tokens FROM (SELECT array_agg(array_fill(0.1::real, array[128])::vector::halfvec)"
        " AS tokens FROM generate_series(1, 100)) AS made"
    )

    def bytes_used() -> int:
        return int(str(value(server, "SELECT sum(total_bytes) FROM pg_backend_memory_contexts")))

    query = "array[array_fill(0.1::real, array[128])::vector::halfvec]"
    small = "array['[1,0]']::halfvec[]"
    for call, rows in (
        (f"pgencoder.maxsim({query}, tokens)", 20_000),
        (f"pgencoder.maxsim({query}, packed)", 20_000),
        (f"pgencoder.maxsim(array['[1,' || i % 2 || ']']::halfvec[], {small})", 100_000),
        (f"pgencoder.maxsim({small}, {small} || '[1,1]'::halfvec)", 1_000_000),
    ):
        with server.transaction():
            # a cursor's first rows allocate what the call keeps; the others must not add to it
            server.execute(f"DECLARE scores CURSOR FOR SELECT {call} FROM d, generate_series(1, {rows}) AS i".encode())
            server.execute("MOVE 1000 IN scores")
            before = bytes_used()
            assert server.execute("MOVE ALL IN scores").rowcount == rows - 1000
            server.execute("CLOSE scores")
            server.execute(f"DECLARE scores CURSOR FOR SELECT {call} FROM d, generate_series(1, {rows}) AS i".encode())
            server.execute(f"MOVE {rows - 1} IN scores".encode())
            assert bytes_used() <= before + 65536, call


def test_arrays_of_another_type_are_refused(server: Connection) -> None:
    library = native.embedded_server().libraries / "pgencoder_native.so"
    server.execute(
        "CREATE FUNCTION pg_temp.any(anyarray, anyarray) RETURNS float8"
        f" AS '{library}', 'maxsim_halfvec' LANGUAGE C STRICT".encode()
    )
    for array, name in (("array[1, 2]", "integer"), ("array['a']", "text"), ("array['[1]']::vector[]", "vector")):
        with pytest.raises(psycopg.errors.DatatypeMismatch, match=f"array of halfvec, got an array of {name}"):
            server.execute(f"SELECT pg_temp.any({array}, {array})".encode())
    with pytest.raises(psycopg.errors.EventTriggerProtocolViolated):
        server.execute(
            f"CREATE FUNCTION pg_temp.drop() RETURNS int AS '{library}', 'before_drop' LANGUAGE C".encode()
            + b"; SELECT pg_temp.drop()"
        )


def test_an_exhaustive_search_uses_parallel_workers(server: Connection, db: Database, words: WordEncoder) -> None:
    server.execute("CREATE TABLE items (id int PRIMARY KEY, body text)")
    server.execute("INSERT INTO items SELECT i, 'w' || i FROM generate_series(1, 3000) AS i")
    db.attach("items", ["body"], words)
    db.sync("items")
    for group in ("passage", "document"):
        search = Search(group=group, stage="exhaustive")
        built = search_statement(db.collection("items"), db.vector_schema, search, words.encode_query("w1 w2"))
        compiled = built.compile(db.engine)
        plan = server.execute(f"EXPLAIN (VERBOSE) {compiled.string}".encode(), compiled.params).fetchall()
        text = "\n".join(line for (line,) in plan)
        assert "Parallel" in text
        assert "pgencoder_native.maxsim(" in text
    costs = dict(
        server.execute(
            "SELECT oid::regprocedure::text, procost FROM pg_proc WHERE proname = 'maxsim'"
            " AND pronamespace = 'pgencoder'::regnamespace"
        ).fetchall()
    )
    assert costs["pgencoder.maxsim(halfvec[],bit[])"] < costs["pgencoder.maxsim(halfvec[],halfvec[])"] < 40000


def test_searches_score_with_the_querys_floats(server: Connection, db: Database, words: WordEncoder) -> None:
    server.execute(
        "CREATE TABLE items (id int PRIMARY KEY, body text); INSERT INTO items VALUES (1, 'a b'), (2, 'b c')"
    )
    for tokens in ("bit", "halfvec"):
        db.attach("items", ["body"], words, name=tokens, tokens=tokens)
        db.sync(tokens)
    assert [(state.kernel, state.scoring) for state in db.status()] == [("native", "asymmetric"), ("native", "float")]
    query = normalize(words.encode_query("a").tokens).astype(np.float64)
    signs = np.where(query > 0, 1, -1) / np.sqrt(query.shape[1])
    assert db.search("bit", "a")[0].score == pytest.approx((query @ signs.T).item(), abs=0.01)
    in_sql = {name: db.search(name, "a") for name in ("bit", "halfvec")}
    db.use_kernel("sql")
    assert [(state.kernel, state.scoring) for state in db.status()] == [("sql", "symmetric"), ("sql", "float")]
    assert db.search("bit", "a")[0].score == pytest.approx(1.0)
    scores = [hit.score for hit in db.search("halfvec", "a")]
    assert scores == pytest.approx([hit.score for hit in in_sql["halfvec"]], abs=1e-3)


def test_without_a_compiler_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NativeUnavailable, match="there is no make; install one"):
        native.build(server)
    (tmp_path / "make").symlink_to("/usr/bin/make")
    with pytest.raises(NativeUnavailable, match="there is no C compiler; install one"):
        native.build(server)
    assert native.install_unasked(None) is None  # what is in place is of these sources: no compiler is needed
    with pytest.raises(NativeUnavailable, match="there is no pg_config"):
        native.find_server()
    monkeypatch.setenv("PGENCODER_NATIVE", "off")
    assert native.install_unasked(None) == "PGENCODER_NATIVE is off"


def test_sources_that_do_not_compile_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    shutil.copytree(native.sources(), tmp_path / "native")
    (tmp_path / "native" / "src" / "kernel.c").write_text("int x = ;\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other_sources(monkeypatch, tmp_path / "native")
    with pytest.raises(NativeUnavailable, match=r"compiling failed: src/kernel\.c:1:9: error") as raised:
        native.build(server)
    assert "\n" not in str(raised.value)
    assert [path.suffix for path in (tmp_path / "cache" / "pgencoder").iterdir()] == [".log"]
    reason = native.install_unasked(None)
    assert reason is not None
    assert reason.startswith("compiling failed before, see ")
    shutil.copy(ROOT / "native" / "src" / "kernel.c", tmp_path / "native" / "src" / "kernel.c")
    other_sources(monkeypatch, tmp_path / "native")
    native.build(server)


def other_sources(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    monkeypatch.setattr(native, "sources", lambda: directory)
    native._sources_hash.cache_clear()


@pytest.fixture(autouse=True)
def _own_sources() -> Iterator[None]:
    yield
    native._sources_hash.cache_clear()


def test_directories_that_cannot_be_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = native.embedded_server()
    (tmp_path / "cache").write_text("a file where a directory should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(NativeUnavailable, match=r"cannot write to .*XDG_CACHE_HOME"):
        native.build(server)
    monkeypatch.delenv("XDG_CACHE_HOME")
    absent = replace(server, libraries=tmp_path / "nowhere")
    with pytest.raises(
        NativeUnavailable, match=r"nowhere.* run as a user who may: pgencoder native install --files-only"
    ):
        native.install(absent)


def test_sources_that_cannot_be_written_can_be_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where this is no superuser, but what is copied has its own modes everywhere."""
    shutil.copytree(native.sources(), tmp_path / "native")
    for path in (tmp_path / "native", *(tmp_path / "native").rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    other_sources(monkeypatch, tmp_path / "native")
    native._copy_sources(tmp_path / "copy")
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "copy").rglob("*"))


def test_the_embedded_server_gets_it_by_itself(tmp_path: Path) -> None:
    code = (
        "import pgencoder; db = pgencoder.embedded({!r}); db.migrate();"
        " print(db.kernel().name, db.kernel().why); db.close()"
    ).format(str(tmp_path / "data"))
    environment = {**os.environ, "PGENCODER_NATIVE": "on"}
    for switch, expected in (("on", "native extension pgencoder_native 1.1"), ("off", "native extension")):
        environment["PGENCODER_NATIVE"] = switch
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=environment, capture_output=True, text=True, check=True)  # fmt: skip
        assert done.stdout.startswith(expected)
