"""What triggers do not see is found; vectors that exist are taken over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pgencoder import Database, Dims, Encoding, ReconcileReport
from pgencoder.catalog.objects import Objects
from pgencoder.errors import InvalidSource
from pgencoder.ingest import adopt, backfill, queue, reconcile
from tests.connections import Connection
from tests.encoder import WordEncoder
from tests.passages import check

UNSEEN = {
    "nothing": ("SELECT 1", (0, 0, 0)),
    "an insert": ("INSERT INTO t SELECT i, 'q', 'new ' || i FROM generate_series(900, 999) AS i", (100, 0, 0)),
    "an update": ("UPDATE t SET body = 'x' WHERE id % 10 = 1", (0, 30, 0)),
    "a delete": ("DELETE FROM t WHERE id % 10 = 2", (0, 0, 30)),
    "a key": ("UPDATE t SET id = -id WHERE id <= 5", (5, 0, 5)),
    "an empty row": ("UPDATE t SET body = E' \\n' WHERE id = 3", (0, 1, 0)),
    "new empty rows": ("INSERT INTO t VALUES (901, 'q', NULL), (902, 'q', '')", (0, 0, 0)),
    "everything": ("DELETE FROM t", (0, 0, 300)),
}


@pytest.fixture
def table(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    connection.execute('CREATE TABLE t (id int, lang text COLLATE "C", body text, PRIMARY KEY (lang, id))')
    connection.execute(
        "INSERT INTO t SELECT i, (ARRAY['a', 'B'])[i % 2 + 1], 'number ' || i FROM generate_series(1, 300) AS i"
    )
    db.attach("t", ["body"], words)
    db.sync("t")
    return connection


@pytest.mark.parametrize("rows", [7, 1000])
@pytest.mark.parametrize("change", UNSEEN)
def test_what_triggers_did_not_see_is_repaired(
    table: Connection, db: Database, words: WordEncoder, change: str, rows: int
) -> None:
    statement, expected = UNSEEN[change]
    table.execute("ALTER TABLE t DISABLE TRIGGER USER")
    table.execute(statement.encode())
    table.execute("ALTER TABLE t ENABLE TRIGGER USER")
    with db.connection() as connection:
        report = reconcile.reconcile(connection, Objects(db.collection("t"), db.vector_schema), rows=rows)
        count = connection.execute("SELECT count(*) FROM t").fetchone()
    assert (report.missing, report.stale, report.orphaned) == expected
    assert (report.rows,) == count
    words.encoded.clear()
    db.sync("t")
    assert len(words.encoded) <= expected[0] + expected[1]
    check(table, db, "t", words)
    assert db.reconcile("t").queued == 0


def test_all_generations_are_compared(table: Connection, db: Database, words: WordEncoder) -> None:
    new = WordEncoder(Dims(8, 8), "new")
    db.reencode("t", new)
    db.sync("t")
    table.execute("ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET body = 'x' WHERE id = 1")
    seen: list[int] = []
    assert db.reconcile("t", progress=lambda done, total: seen.append(done)) == ReconcileReport(300, 0, 2, 0)
    assert seen[-1] == 300
    db.sync("t")
    check(table, db, "t", words)


def test_a_row_that_is_blank_in_some_alphabet_only_is_a_row(
    table: Connection, db: Database, words: WordEncoder
) -> None:
    table.execute("INSERT INTO t VALUES (901, 'q', U&'\\00a0'), (902, 'q', U&'\\3000\\3000')")
    db.sync("t")
    assert db.reconcile("t").queued == 0
    assert check(table, db, "t", words) == 302


def test_settings_of_sessions_change_nothing(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE t (day date PRIMARY KEY, at timestamptz, size float8, body text)")
    connection.execute(
        "INSERT INTO t SELECT day, day + interval '1 hour', 1 / 3.0, 'word' FROM"
        " generate_series('2026-01-01'::timestamptz, '2026-03-01', '1 day') AS day"
    )
    # for sessions that begin from now on, those of workers too
    name = connection.info.dbname
    for setting in ("datestyle = 'SQL, DMY'", "timezone = 'Asia/Tokyo'", "extra_float_digits = -3"):
        connection.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
    db.engine.dispose()
    db.attach("t", ["at", "size", "body"], words)
    db.sync("t")
    with db.connection() as fresh:
        fresh.execute("SET timezone = 'America/Lima'")
        assert db.reconcile("t").queued == 0
    # a late change of a writer with another idea of dates: a worker has claimed the keys since its snapshot
    connection.execute("UPDATE t SET body = 'first' WHERE day IN ('2026-02-13', '2026-02-03')")
    connection.execute("SET datestyle = 'SQL, DMY'")
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t")
    with db.connection() as other:
        queue.claim(other, Objects(db.collection("t"), db.vector_schema), "new", 10, lease=0.1)
    connection.execute("UPDATE t SET body = 'late' WHERE day IN ('13/02/2026', '03/02/2026')")
    connection.execute("COMMIT; SET datestyle = 'ISO'")
    assert connection.execute("SELECT count(*) FROM pgencoder.late").fetchone() == (2,)
    db.sync("t")
    assert connection.execute(
        "SELECT count(*) FROM pgencoder.t_1 WHERE content LIKE '%late' AND day IN ('2026-02-13', '2026-02-03')"
    ).fetchone() == (2,)


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
@pytest.mark.parametrize("given", ["vector", "halfvec"])
def test_vectors_are_adopted_without_encoding(
    connection: Connection, db: Database, words: WordEncoder, tokens: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "PIECE_ROWS", 7)
    connection.execute(f"CREATE TABLE t (id int PRIMARY KEY, body text, v {given}(32), vs {given}(16)[])".encode())
    for i in range(1, 41):
        encoding = words.encode_query(f"number {i}")
        vectors = [[*map(float, row)] for row in (encoding.dense * 3, *encoding.tokens * 2)]
        row = [i, f"number {i}", str(vectors[0]), [str(vector) for vector in vectors[1:]]]
        connection.execute("INSERT INTO t VALUES (%s, %s, %s, %s)", row)
    connection.execute("UPDATE t SET v = NULL WHERE id > 30; UPDATE t SET body = '' WHERE id = 1")
    db.attach("t", ["body"], words, tokens=tokens)  # type: ignore[arg-type]
    words.encoded.clear()
    assert db.adopt("t", "t", "v", "vs") == 29
    assert db.sync("t").rows == 11
    assert len(words.encoded) == 10
    assert check(connection, db, "t", words) == 39
    connection.execute("UPDATE t SET body = 'changed' WHERE id = 2")
    db.sync("t")
    check(connection, db, "t", words)


def test_adopting_goes_into_the_generation_that_is_built(table: Connection, db: Database, words: WordEncoder) -> None:
    table.execute("CREATE TABLE mine AS SELECT lang, id, dense AS v, tokens AS b FROM pgencoder.t_1")
    db.reencode("t", words)
    words.encoded.clear()
    assert db.adopt("t", "mine", "v", "b") == 300
    db.sync("t")
    assert words.encoded == []
    assert db.activate("t").number == 2
    check(table, db, "t", words)


def test_adopting_says_what_is_wrong(table: Connection, db: Database, words: WordEncoder) -> None:
    table.execute("CREATE TABLE mine (id int, v vector(3))")
    for arguments, message in (
        (("nowhere", "v"), "no table 'nowhere'"),
        (("mine", "w"), "no column 'w'; it has: id, v"),
        (("mine", "v"), "no column 'lang'"),
    ):
        with pytest.raises(InvalidSource, match=message):
            db.adopt("t", *arguments)


def test_an_index_waits_until_most_rows_are_there(connection: Connection, db: Database) -> None:
    class Down(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            raise RuntimeError("no GPU")

    connection.execute("CREATE TABLE t (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO t SELECT i, 'number ' || i FROM generate_series(1, 20) AS i")
    down = Down()
    db.attach("t", ["body"], down)
    assert "no GPU" in str(db.sync("t").error)
    objects = Objects(db.collection("t"), db.vector_schema)
    with db.connection() as other:
        assert not backfill.ready_to_index(other, objects)
