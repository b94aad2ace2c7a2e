"""The extension at work in a server: instructions, storage, interrupts, memory, plans."""

from __future__ import annotations

import time

import numpy as np
import psycopg
import pytest

import pgencoder
from pgencoder import Database
from pgencoder.kernel import native
from pgencoder.search import Search, search_statement
from pgencoder.vectors import HalfvecArray, normalize
from tests.connections import Connection, value
from tests.encoder import WordEncoder

pytestmark = pytest.mark.usefixtures("native_available")


SIMD = ("avx512", "avx2", "neondot", "neon", "plain")


def fresh(connection: Connection) -> Connection:
    """A new session in the same database, which has not loaded the library."""
    return psycopg.connect(connection.info.dsn, autocommit=True)


def usable(connection: Connection) -> list[str]:
    """The instructions that this processor has."""
    found = []
    value(connection, "SELECT pgencoder_native.simd()")  # loads the library, which then refuses the others
    for simd in SIMD:
        try:
            connection.execute(f"SET pgencoder_native.simd = {simd}".encode())
        except psycopg.errors.InvalidParameterValue:
            continue
        found.append(simd)
    connection.execute("RESET pgencoder_native.simd")
    return found


def test_each_processors_instructions_give_the_same(native_server: Connection) -> None:
    generator = np.random.default_rng(7)
    query, document = (HalfvecArray(normalize(generator.standard_normal((n, 65)))) for n in (21, 50))
    calls = {
        "halfvec": "pgencoder.maxsim(%(q)s, %(d)s)",
        "vector": "pgencoder.maxsim(%(q)s::vector[], %(d)s::vector[])",
        "bit": "pgencoder.maxsim(pgencoder.binary_quantize(%(q)s), pgencoder.binary_quantize(%(d)s))",
        "sign": "pgencoder.maxsim(%(q)s, pgencoder.binary_quantize(%(d)s))",
    }
    found = {}
    names = usable(native_server)
    for simd in (*names, "auto"):
        native_server.execute(f"SET pgencoder_native.simd = {simd}".encode())
        assert value(native_server, "SELECT pgencoder_native.simd()") == (names[0] if simd == "auto" else simd)
        row = native_server.execute(
            f"SELECT {', '.join(calls.values())}".encode(), {"q": query, "d": document}
        ).fetchone()
        assert row is not None
        found[simd] = row
    assert {"plain", "auto"} <= set(found)
    for row in found.values():
        assert row[:2] == pytest.approx(found["plain"][:2], abs=1e-5)
        assert row[2:] == found["plain"][2:]


def test_instructions_that_are_not_there_are_refused(native_server: Connection) -> None:
    """Each machine lacks some: those of the other kind of processor."""
    absent = [*(set(SIMD) - set(usable(native_server))), "quantum"]
    call = "SELECT pgencoder.maxsim(ARRAY['[1]']::halfvec[], ARRAY['[1]']::halfvec[])"
    for simd in absent:
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            native_server.execute(f"SET pgencoder_native.simd = '{simd}'".encode())
        with fresh(native_server) as connection:
            # the library is not loaded, so the server does not know the setting yet
            connection.execute(f"SET pgencoder_native.simd = '{simd}'".encode())
            for _ in range(2):
                with pytest.raises(psycopg.errors.InvalidParameterValue, match=f'simd is "{simd}"'):
                    value(connection, call)
            connection.execute("SET pgencoder_native.simd = 'PLAIN'")
            assert value(connection, "SELECT pgencoder_native.simd()") == "plain"
            assert value(connection, call) == 1


@pytest.mark.parametrize("place", ["DATABASE", "ROLE", "SYSTEM", "options"])
def test_instructions_that_are_not_there_are_refused_wherever_they_are_set(
    native_server: Connection, url: str, place: str
) -> None:
    absent = next(simd for simd in SIMD if simd not in usable(native_server))
    info = native_server.info
    where = {"DATABASE": f'DATABASE "{info.dbname}"', "ROLE": f'ROLE "{info.user}"', "SYSTEM": "SYSTEM"}.get(place)
    with fresh(native_server) as connection:
        if place == "SYSTEM":  # takes only settings that are known, while the others are checked if they are
            value(connection, "SELECT pgencoder_native.simd()")
        if where is not None:
            connection.execute(f"ALTER {where} SET pgencoder_native.simd = '{absent}'".encode())
            connection.execute("SELECT pg_reload_conf()")
    try:
        with (
            new_session(info.dsn, absent, place) as connection,
            pytest.raises(psycopg.errors.InvalidParameterValue, match=f'simd is "{absent}"'),
        ):
            value(connection, "SELECT pgencoder_native.simd()")
        if where is not None:
            with pgencoder.connect(url) as database:
                assert f'simd is "{absent}"' in database.kernel().why
    finally:
        if where is not None:
            native_server.execute(f"ALTER {where} RESET pgencoder_native.simd".encode())
            native_server.execute("SELECT pg_reload_conf()")


def new_session(dsn: str, simd: str, place: str) -> Connection:
    """A session with that setting, once the server has read its files again."""
    options = f"-c pgencoder_native.simd={simd}" if place == "options" else ""
    for _ in range(100):
        connection = psycopg.connect(dsn, autocommit=True, options=options)
        if value(connection, "SELECT current_setting('pgencoder_native.simd', true)") == simd:
            return connection
        connection.close()
        time.sleep(0.05)
    pytest.fail(f"no session has the setting {simd}")


def test_a_query_that_changes_between_calls_is_noticed(native_server: Connection) -> None:
    """PL/pgSQL keeps an expression's state while its variables change, also where the memory is the same."""
    native_server.execute("CREATE TABLE q (n int, tokens halfvec[])")
    native_server.execute(
        "INSERT INTO q SELECT n, array[('[' || n || ',0]')::halfvec] FROM generate_series(1, 50) AS n"
    )
    # out of line, and compressed
    native_server.execute(
        "INSERT INTO q SELECT n, array_agg(('[' || n || ',0]')::halfvec) FROM generate_series(51, 100) AS n,"
        " generate_series(1, 1000) GROUP BY n"
    )
    native_server.execute(
        "CREATE FUNCTION pg_temp.each() RETURNS SETOF float8 LANGUAGE plpgsql AS $$"
        " DECLARE t halfvec[]; n int; BEGIN FOR n, t IN SELECT q.n, tokens FROM q ORDER BY 1 LOOP"
        " RETURN NEXT pgencoder.maxsim(t, array['[1,0]', '[0.5,0]']::halfvec[]) / cardinality(t); END LOOP; END $$"
    )
    expected = [(float(n),) for n in range(1, 101)]
    assert native_server.execute("SELECT * FROM pg_temp.each()").fetchall() == expected
    # a query that is a column, and one that is built anew for each row
    assert native_server.execute(
        "SELECT pgencoder.maxsim(tokens, array['[1,0]']::halfvec[]) / cardinality(tokens) FROM q ORDER BY n"
    ).fetchall() == expected  # fmt: skip
    assert native_server.execute(
        "SELECT pgencoder.maxsim(array[('[' || n || ',0]')::halfvec], array['[1,0]']::halfvec[]) FROM q ORDER BY n"
    ).fetchall() == expected  # fmt: skip


@pytest.mark.parametrize(
    ("storage", "tokens"),
    [(storage, tokens) for storage in ("MAIN", "EXTERNAL", "EXTENDED") for tokens in (1, 2, 3, 9, 240)]
    + [("PLAIN", 9)],
)
def test_documents_in_every_kind_of_storage(native_server: Connection, storage: str, tokens: int) -> None:
    generator = np.random.default_rng(tokens)
    # ones compress, random numbers do not; the shortest bit arrays have a header of one byte
    kinds = {"random": generator.standard_normal((tokens, 64)), "same": np.ones((tokens, 64))}
    query = normalize(generator.standard_normal((5, 64))).astype(np.float16)
    native_server.execute("CREATE TABLE d (name text, halves halfvec[], bits bit(64)[])")
    native_server.execute(
        f"ALTER TABLE d ALTER halves SET STORAGE {storage}, ALTER bits SET STORAGE {storage}".encode()
    )
    for name, made in kinds.items():
        native_server.execute(
            "INSERT INTO d VALUES (%s, %s, pgencoder.binary_quantize(%s))",
            [name, HalfvecArray(normalize(made)), HalfvecArray(made)],
        )
    for name, made in kinds.items():
        halves, bits = normalize(made).astype(np.float16), np.where(made > 0, 1, -1) / 8
        row = native_server.execute(
            "SELECT pgencoder.maxsim(%(q)s, halves), pgencoder.maxsim(%(q)s, bits) FROM d WHERE name = %(name)s",
            {"q": HalfvecArray(query), "name": name},
        ).fetchone()
        assert row is not None
        floats = query.astype(np.float64)
        assert row[0] == pytest.approx((floats @ halves.astype(np.float64).T).max(axis=1).sum(), abs=1e-4)
        assert row[1] == pytest.approx((floats @ bits.T).max(axis=1).sum(), abs=0.02)


def test_a_long_call_can_be_cancelled(native_server: Connection) -> None:
    native_server.execute(
        "CREATE TABLE long AS SELECT array_agg(array_fill(0.1::real, array[64])::vector::halfvec) AS tokens"
        " FROM generate_series(1, 100000)"
    )
    for function in ("maxsim", "maxsim_pairs"):
        native_server.execute("SET statement_timeout = '200ms'")
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            native_server.execute(f"SELECT pgencoder.{function}(tokens, tokens) FROM long".encode())
        # the whole of it would take minutes
        assert time.monotonic() - started < 20
        native_server.execute("RESET statement_timeout")


def test_memory_does_not_grow(native_server: Connection) -> None:
    native_server.execute("CREATE TABLE d (tokens halfvec[], packed halfvec[])")
    native_server.execute("ALTER TABLE d ALTER tokens SET STORAGE EXTERNAL")
    native_server.execute(
        "INSERT INTO d SELECT tokens, tokens FROM (SELECT array_agg(array_fill(0.1::real, array[128])::vector::halfvec)"
        " AS tokens FROM generate_series(1, 100)) AS made"
    )

    def bytes_used() -> int:
        return int(str(value(native_server, "SELECT sum(total_bytes) FROM pg_backend_memory_contexts")))

    query = "array[array_fill(0.1::real, array[128])::vector::halfvec]"
    small = "array['[1,0]']::halfvec[]"
    for call, rows in (
        (f"pgencoder.maxsim({query}, tokens)", 20_000),
        (f"pgencoder.maxsim({query}, packed)", 20_000),
        (f"pgencoder.maxsim(array['[1,' || i % 2 || ']']::halfvec[], {small})", 100_000),
        (f"pgencoder.maxsim({small}, {small} || '[1,1]'::halfvec)", 1_000_000),
    ):
        with native_server.transaction():
            # a cursor's first rows allocate what the call keeps; the others must not add to it
            native_server.execute(
                f"DECLARE scores CURSOR FOR SELECT {call} FROM d, generate_series(1, {rows}) AS i".encode()
            )
            native_server.execute("MOVE 1000 IN scores")
            before = bytes_used()
            assert native_server.execute("MOVE ALL IN scores").rowcount == rows - 1000
            native_server.execute("CLOSE scores")
            native_server.execute(
                f"DECLARE scores CURSOR FOR SELECT {call} FROM d, generate_series(1, {rows}) AS i".encode()
            )
            native_server.execute(f"MOVE {rows - 1} IN scores".encode())
            assert bytes_used() <= before + 65536, call


def test_arrays_of_another_type_are_refused(native_server: Connection) -> None:
    library = native.embedded_server().libraries / "pgencoder_native.so"
    native_server.execute(
        "CREATE FUNCTION pg_temp.any(anyarray, anyarray) RETURNS float8"
        f" AS '{library}', 'maxsim_halfvec' LANGUAGE C STRICT".encode()
    )
    for array, name in (("array[1, 2]", "integer"), ("array['a']", "text"), ("array['[1]']::vector[]", "vector")):
        with pytest.raises(psycopg.errors.DatatypeMismatch, match=f"array of halfvec, got an array of {name}"):
            native_server.execute(f"SELECT pg_temp.any({array}, {array})".encode())
    with pytest.raises(psycopg.errors.EventTriggerProtocolViolated):
        native_server.execute(
            f"CREATE FUNCTION pg_temp.drop() RETURNS int AS '{library}', 'before_drop' LANGUAGE C".encode()
            + b"; SELECT pg_temp.drop()"
        )


def test_an_exhaustive_search_uses_parallel_workers(
    native_server: Connection, db: Database, words: WordEncoder
) -> None:
    native_server.execute("CREATE TABLE items (id int PRIMARY KEY, body text)")
    native_server.execute("INSERT INTO items SELECT i, 'w' || i FROM generate_series(1, 3000) AS i")
    db.attach("items", ["body"], words, lexical="none")
    db.sync("items")
    for group in ("passage", "document"):
        search = Search(group=group, stage="exhaustive")
        built = search_statement(db.collection("items"), search, words.encode_query("w1 w2"))
        compiled = built.compile(db.engine)
        plan = native_server.execute(f"EXPLAIN (VERBOSE) {compiled.string}".encode(), compiled.params).fetchall()
        text = "\n".join(line for (line,) in plan)
        assert "Parallel" in text
        assert "pgencoder_native.maxsim(" in text
    costs = dict(
        native_server.execute(
            "SELECT oid::regprocedure::text, procost FROM pg_proc WHERE proname = 'maxsim'"
            " AND pronamespace = 'pgencoder'::regnamespace"
        ).fetchall()
    )
    assert costs["pgencoder.maxsim(halfvec[],bit[])"] < costs["pgencoder.maxsim(halfvec[],halfvec[])"] < 40000


def test_searches_score_with_the_querys_floats(native_server: Connection, db: Database, words: WordEncoder) -> None:
    native_server.execute(
        "CREATE TABLE items (id int PRIMARY KEY, body text); INSERT INTO items VALUES (1, 'a b'), (2, 'b c')"
    )
    for tokens in ("bit", "halfvec"):
        db.attach("items", ["body"], words, name=tokens, tokens=tokens, lexical="none")
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
