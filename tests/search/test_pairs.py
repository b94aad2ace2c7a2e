"""Similar pairs of rows: compared with every pair computed in double precision, by both methods."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg import sql

from pgencoder import Database, Dims, Pair, pairs
from pgencoder.bench import pairs as benchmark
from pgencoder.errors import DiskFull, InvalidRequest, MissingRights, NotEncoded, Outdated, UnknownCollection
from pgencoder.pairs import similar
from pgencoder.pairs.spool import Spool
from pgencoder.types import PairMethod
from pgencoder.vectors import Halfvec, normalize
from tests.application import OWNER, TENANTS, WRITER, App
from tests.commands import Run, ok
from tests.connections import Connection, value
from tests.encoder import WordEncoder

METHODS: tuple[PairMethod, ...] = ("exact", "ann")
Vectors = NDArray[np.floating[Any]]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> PairMethod:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, tiles and batches so small that everything is split."""
    for name, size in (("BLOCK", 16), ("TILE", (4, 8)), ("CHUNK", 8), ("PIECE", 8)):
        monkeypatch.setattr(similar, name, size)
    monkeypatch.setattr(pairs, "AT_ONCE", 3)


def store(connection: Connection, db: Database, vectors: Vectors) -> None:
    """A collection `rows` with one passage for each vector; its keys are 0, 1, ..."""
    dims = vectors.shape[1]
    connection.execute(f"CREATE TABLE rows (id int PRIMARY KEY, body text, dense halfvec({dims}))".encode())
    with db.connection() as connected:
        connected.cursor().executemany(
            "INSERT INTO rows VALUES (%s, 'some text', %s)", [(i, Halfvec(row)) for i, row in enumerate(vectors)]
        )
    db.attach("rows", ["body"], WordEncoder(Dims(dims, 4)), lexical="none")
    assert db.adopt("rows", "rows", "dense") == len(vectors)


def stored(connection: Connection) -> dict[int, list[list[float]]]:
    """The vectors of each row, as they are stored."""
    rows = connection.execute(
        "SELECT id, dense::real[]::float8[] FROM pgencoder.rows_1 ORDER BY id, passage"
    ).fetchall()
    return {key: [dense for _, dense in group] for key, group in itertools.groupby(rows, key=lambda row: row[0])}


def cosine(x: Sequence[float], y: Sequence[float]) -> float:
    """In exact arithmetic up to the last rounding."""
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return dot / math.sqrt(math.fsum(a * a for a in x) * math.fsum(b * b for b in y))


def every_pair(connection: Connection) -> dict[tuple[int, int], float]:
    return {
        (a, b): max(cosine(x, y) for x in xs for y in ys)
        for (a, xs), (b, ys) in itertools.combinations(stored(connection).items(), 2)
    }


def found(db: Database, threshold: float, method: PairMethod = "exact", **options: Any) -> dict[tuple[Any, Any], float]:
    pairs = list(db.similar_pairs("rows", threshold, method=method, **options))
    result = {(pair.key, pair.other): pair.similarity for pair in pairs}
    assert len(result) == len(pairs)  # each once
    return result


def like_sentences(n: int, dims: int, seed: int = 3, decay: float = 1) -> Vectors:
    """Vectors with few strong axes, and twins of some of them."""
    random = np.random.default_rng(seed)
    vectors = normalize(random.standard_normal((n, dims)) / np.arange(1, dims + 1) ** decay)
    twins = random.choice(n, n // 3, replace=False)
    vectors[twins] = normalize(
        vectors[random.permutation(twins)] + random.uniform(0, 1, (len(twins), 1)) * vectors[twins]
    )
    return vectors


@pytest.mark.parametrize(("n", "dims"), [(2, 3), (50, 384), (60, 8), (60, 24)])
def test_exact_is_every_pair_at_every_threshold(
    connection: Connection, db: Database, small: None, n: int, dims: int
) -> None:
    store(connection, db, like_sentences(n, dims))
    expected = every_pair(connection)
    cosines = sorted(expected.values())
    edges = [cosines[int(share * (len(cosines) - 1))] for share in (0, 0.3, 0.9, 0.99, 1)]
    for edge in edges:  # a pair whose cosine is the threshold is in, and out at the next larger number
        for threshold in (edge, math.nextafter(edge, 2)):
            if threshold <= 1:
                assert found(db, threshold) == {pair: each for pair, each in expected.items() if each >= threshold}


def test_vectors_are_shortened_where_it_pays(connection: Connection, db: Database) -> None:
    number, dims = 3100, 192
    store(connection, db, like_sentences(number, dims, decay=0.6))
    vectors = np.array([passages[0] for passages in stored(connection).values()])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.triu(units @ units.T, 1)
    with Spool(dims) as spool:
        pairs._read(connection, db.collection("rows"), "dense", spool)
        comparison = similar._Comparison(spool, 0.8)
        assert comparison.axes is not None
        assert comparison.axes.shape[1] <= dims / 2
        bounds = comparison.bounds(np.arange(number))
    products = np.triu(bounds @ bounds.T, 1)
    assert (products >= expected - 1e-6).all()  # none is lost
    assert (products >= 0.8).sum() < number**2 / 200  # and nearly all are ruled out
    near = found(db, 0.8)
    assert set(near) == {(int(a), int(b)) for a, b in np.argwhere(expected >= 0.8)}
    assert all(abs(each - expected[pair]) < 1e-12 for pair, each in near.items())


def test_the_same_vector_twice_is_alike_to_the_last_digit(
    connection: Connection, db: Database, method: PairMethod
) -> None:
    vectors = like_sentences(40, 384)
    vectors[[5, 17, 39]] = vectors[2]
    store(connection, db, vectors)
    assert found(db, 1, method) == dict.fromkeys(itertools.combinations([2, 5, 17, 39], 2), 1.0)


def test_a_vector_of_zeros_is_like_none(connection: Connection, db: Database, method: PairMethod) -> None:
    store(connection, db, np.concatenate([np.eye(4), -np.eye(4)[:1]]))
    connection.execute("UPDATE pgencoder.rows_1 SET dense = '[0,0,0,0]' WHERE id IN (1, 2)")
    assert found(db, -0.5, method) == {(0, 3): 0.0, (3, 4): 0.0}


def several_passages(connection: Connection, db: Database) -> None:
    """40 rows with one to five passages; rows of those that are alike are so in some of them."""
    random = np.random.default_rng(5)
    vectors = like_sentences(120, 16, seed=4)
    store(connection, db, vectors[:40])
    insert = (
        "INSERT INTO pgencoder.rows_1 SELECT id, %s, span, content, content_hash, truncated, %s, tokens, row_hash"
        " FROM pgencoder.rows_1 WHERE id = %s AND passage = 0"
    )
    with db.connection() as connected:
        for i, vector in enumerate(vectors[40:]):
            connected.execute(insert, [i + 1, Halfvec(vector), int(random.integers(40))])


@pytest.mark.parametrize("threshold", [-0.2, 0.7, 0.9])
def test_rows_with_several_passages_are_as_similar_as_their_best(
    connection: Connection, db: Database, small: None, threshold: float
) -> None:
    several_passages(connection, db)
    expected = {pair: each for pair, each in every_pair(connection).items() if each >= threshold}
    assert len(expected) > 10
    assert found(db, threshold) == expected


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 7, 5), (8, 8, 8), (64, 64, 64)])
@pytest.mark.parametrize("threshold", [-0.9, 0.95])
def test_rows_split_over_tiles_in_any_way(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int, int], threshold: float, method: PairMethod
) -> None:
    for name, size in (("BLOCK", sizes[0] * 2), ("TILE", sizes[:2]), ("CHUNK", sizes[2]), ("PIECE", sizes[2])):
        monkeypatch.setattr(similar, name, size)
    random = np.random.default_rng(8)
    counts = random.choice([1, 2, 3, 9], 30)
    vectors = like_sentences(int(counts.sum()), 12, decay=0.5)
    vectors[random.integers(len(vectors), size=20)] = vectors[3]  # several best pairs
    vectors = vectors.astype(np.float16).astype(np.float64)
    passages = np.split(vectors, np.cumsum(counts)[:-1])
    expected = {}
    for (a, xs), (b, ys) in itertools.combinations(enumerate(passages), 2):
        best = max(min(1, cosine(x.tolist(), y.tolist())) for x in xs for y in ys)
        if best >= threshold:
            expected[a, b] = best
    assert len(expected) > 10
    got = [pair for each in compared(passages, threshold, method) for pair in each]
    near = {(row, other): each for row, other, each in got}
    assert len(near) == len(got)
    if method == "exact" or threshold > 0:
        assert near == pytest.approx(expected, abs=1e-12)
    else:
        assert near.keys() <= expected.keys()


def compared(
    passages: Sequence[Vectors], threshold: float, method: PairMethod
) -> Iterator[list[tuple[int, int, float]]]:
    """The similar pairs of rows with these passages, as they come."""
    with Spool(passages[0].shape[1]) as spool:
        for row, vectors in enumerate(passages):
            for vector in vectors:
                spool.append(str(row).encode(), bytes(4) + vector.astype(">f2").tobytes())
        spool.complete()
        for each in similar.similar_rows(spool, threshold, method):
            yield list(zip(each.row.tolist(), each.other.tolist(), each.cosine.tolist(), strict=True))


def test_rows_with_several_passages_are_compared_together(monkeypatch: pytest.MonkeyPatch, method: PairMethod) -> None:
    vectors = normalize(1 + 0.1 * np.random.default_rng(9).standard_normal((600, 16)))
    taken: list[int] = []
    take = Spool.take

    def counted(spool: Spool, passages: NDArray[np.integer]) -> Vectors:
        taken.append(len(passages))
        return take(spool, passages)

    monkeypatch.setattr(Spool, "take", counted)
    assert sum(map(len, compared(np.split(vectors, 200), 0.5, method))) == 200 * 199 / 2
    assert len(taken) < 2000


def test_passages_in_several_lists_give_each_pair_of_rows_once(
    connection: Connection, db: Database, small: None
) -> None:
    several_passages(connection, db)
    expected = {pair: each for pair, each in every_pair(connection).items() if each >= 0.9}
    near = found(db, 0.9, "ann")
    assert near.items() <= expected.items()
    assert len(near) >= 0.9 * len(expected)


def test_ann_finds_nearly_all_and_nothing_else(connection: Connection, db: Database) -> None:
    store(connection, db, like_sentences(900, 48))
    for threshold in (0.7, 0.9):
        expected = found(db, threshold)
        near = found(db, threshold, "ann")
        assert near.items() <= expected.items()
        assert len(near) >= 0.95 * len(expected)


def test_auto_is_exact_until_that_takes_long(
    connection: Connection, db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store(connection, db, like_sentences(100, 16))
    caplog.set_level("INFO", "pgencoder.pairs")
    exact = found(db, 0.8, "auto")
    assert exact == found(db, 0.8, "exact")
    assert "all pairs of 100 passages" in caplog.messages[0]
    monkeypatch.setattr(similar, "PATIENCE", 0.0)
    assert found(db, 0.8, "auto") == exact
    assert "lists would take longer" in caplog.messages[-1]
    monkeypatch.setattr(similar, "GATHER", 0.0)
    found(db, 0.8, "auto")
    assert "100 passages in 25 lists" in caplog.messages[-1]
    monkeypatch.setattr(similar, "RECALL", 1.1)
    monkeypatch.setattr(similar, "RECALL_MADE", 1.1)
    assert found(db, 0.8, "auto") == exact
    assert "lists would not find enough" in caplog.messages[-1]


def test_the_limit_keeps_the_best_first(connection: Connection, db: Database, small: None, method: PairMethod) -> None:
    store(connection, db, like_sentences(60, 16))
    everything = found(db, 0.5, method)
    best = sorted(everything.items(), key=lambda item: (-item[1], item[0]))
    assert list(found(db, 0.5, method, limit=7).items()) == best[:7]
    assert list(found(db, 0.5, method, limit=10_000).items()) == best


def test_composite_keys(connection: Connection, db: Database, words: WordEncoder, method: PairMethod) -> None:
    connection.execute(
        'CREATE TABLE notes ("Owner%%" text, at timestamptz, price numeric, body text,'
        ' PRIMARY KEY ("Owner%%", at, price));'
        " INSERT INTO notes VALUES ('é, \"x\"', '2024-02-01 12:00:00.25+02', 1.50, 'red green blue'),"
        " ('a\tb', '2024-02-01', 7, 'red green blue'), ('', 'infinity', 'NaN', 'something else'),"
        " ('', '2024-02-01', -0.1, 'red green blue')"
    )
    connection.execute("UPDATE notes SET at = '2025-01-01' WHERE at = 'infinity'")
    db.attach("notes", ["body"], words, lexical="none")
    db.sync("notes")
    keys = [tuple(row) for row in connection.execute('SELECT "Owner%%", at, price FROM notes ORDER BY 1, 2, 3')]
    alike = [key for key in keys if str(key[2]) != "NaN"]
    got = list(db.similar_pairs("notes", 0.99, method=method))
    assert {(pair.key, pair.other) for pair in got} == set(itertools.combinations(alike, 2))
    assert len(got) == 3


def test_rows_deleted_meanwhile_are_left_out(
    connection: Connection, db: Database, small: None, method: PairMethod
) -> None:
    store(connection, db, np.ones((30, 4)))
    running = db.similar_pairs("rows", 0.9, method=method)
    first = [next(running) for _ in range(3)]
    connection.execute("DELETE FROM rows WHERE id IN (20, 29)")
    db.sync("rows", encoder=WordEncoder(Dims(4, 4)))
    rest = list(running)
    gone = {20, 29}
    assert not any(gone & {pair.key, pair.other} for pair in rest)
    expected = {pair for pair in itertools.combinations(range(30), 2) if not gone & set(pair)}
    assert {(pair.key, pair.other) for pair in first + rest} >= expected
    # still there as a passage, but no longer as a row
    connection.execute("ALTER TABLE rows DISABLE TRIGGER USER; DELETE FROM rows WHERE id = 3")
    assert len(found(db, 0.9, method, limit=1000)) == 27 * 26 / 2


def test_pairs_come_while_others_are_compared_and_no_transaction_stays_open(
    connection: Connection, db: Database, small: None, method: PairMethod
) -> None:
    store(connection, db, np.ones((100, 4)))
    told: list[tuple[int, int]] = []
    running = db.similar_pairs("rows", 0.9, method=method, progress=lambda done, of: told.append((done, of)))
    assert told == []
    next(running)
    assert told[-1][0] < 50
    assert (
        value(
            connection,
            "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()",
        )
        == 0
    )
    assert value(connection, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
    assert len(list(running)) == 100 * 99 / 2 - 1
    assert told == sorted(told)
    assert told[-1] == (100, 100)


def test_one_that_is_given_up_leaves_nothing(connection: Connection, db: Database, small: None) -> None:
    store(connection, db, np.ones((20, 4)))
    db.similar_pairs("rows")
    running = db.similar_pairs("rows")
    assert isinstance(running, Iterator)
    assert next(running) == Pair(0, 1, 1.0)
    del running
    assert (
        value(connection, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()")
        == 0
    )


def test_a_generation_that_is_dropped_before_the_first_pair(connection: Connection, db: Database) -> None:
    store(connection, db, np.ones((3, 4)))
    running = db.similar_pairs("rows")
    db.reencode("rows", WordEncoder(Dims(4, 4), "other"))
    db.sync("rows")
    db.activate("rows")
    db.drop("rows", 1)
    with pytest.raises(Outdated, match=r"rows_1.* dropped after similar_pairs was called; call it again"):
        next(running)
    assert len(list(db.similar_pairs("rows"))) == 3


def test_a_full_disk_is_told(connection: Connection, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store(connection, db, np.eye(3))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: open("/dev/full", "w+b"))  # noqa: SIM115
    with pytest.raises(DiskFull, match="No space left on device; name another directory in TMPDIR"):
        list(db.similar_pairs("rows"))


def of_tenant(found: Iterator[Pair]) -> dict[int, set[int]]:
    """The rows in pairs, by tenant."""
    keys = {key for pair in found for key in (pair.key, pair.other)}
    return {tenant: {key for key in keys if key % 2 == tenant} for tenant in (0, 1)}


def test_readers_see_pairs_of_their_rows_only(encoded_app: App) -> None:
    everything = of_tenant(encoded_app.db(OWNER).similar_pairs("docs", -0.99))
    assert [len(each) for each in everything.values()] == [6, 6]
    for number, tenant in enumerate(TENANTS):
        pairs = list(encoded_app.db(tenant).similar_pairs("docs", -0.99))
        assert len(pairs) == 6 * 5 / 2
        assert of_tenant(iter(pairs)) == {number: everything[number], 1 - number: set()}


def test_a_row_that_is_hidden_meanwhile_is_left_out(encoded_app: App, small: None) -> None:
    running = encoded_app.db(TENANTS[0]).similar_pairs("docs", -0.99)
    next(running)
    with encoded_app.session(WRITER) as writer:
        writer.execute(b"UPDATE docs SET tenant = 't_ben' WHERE id > 6")
    rest = list(running)[2:]  # those of the first batch had been looked up
    assert rest == []


def test_roles_without_rights_are_told(encoded_app: App) -> None:
    for statement in (
        sql.SQL("REVOKE SELECT ON docs FROM {}").format(sql.Identifier(TENANTS[0])),
        sql.SQL("DELETE FROM docs WHERE tenant = {}").format(TENANTS[1]),
    ):
        encoded_app.superuser.execute(statement)
    with pytest.raises(MissingRights, match="docs"):
        list(encoded_app.db(TENANTS[0]).similar_pairs("docs"))
    with pytest.raises(NotEncoded, match="'docs' has no encoded rows yet that this role may see"):
        encoded_app.db(TENANTS[1]).similar_pairs("docs")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1}, "threshold must be a cosine above -1 and at most 1, got -1"),
        ({"threshold": 1.01}, "got 1.01"),
        ({"threshold": math.nan}, "got nan"),
        ({"threshold": "high"}, "got 'high'"),
        ({"method": "best"}, "method must be one of auto, exact, ann, got 'best'"),
        ({"limit": 0}, "limit must be an integer of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_at_once(
    connection: Connection, db: Database, options: dict[str, Any], message: str
) -> None:
    store(connection, db, np.eye(3))
    with pytest.raises(InvalidRequest, match=message):
        db.similar_pairs("rows", **options)


def test_nothing_to_compare(connection: Connection, db: Database, words: WordEncoder, method: PairMethod) -> None:
    with pytest.raises(UnknownCollection, match="no collection 'rows'"):
        db.similar_pairs("rows")
    connection.execute("CREATE TABLE rows (id int PRIMARY KEY, body text); INSERT INTO rows VALUES (1, 'one')")
    db.attach("rows", ["body"], words, lexical="none")
    with pytest.raises(NotEncoded, match="'rows' has no encoded rows yet"):
        db.similar_pairs("rows")
    db.sync("rows")
    assert found(db, -0.99, method) == {}


def test_the_command(connection: Connection, db: Database, command: Run) -> None:
    vectors = np.eye(6)
    vectors[4] = normalize(vectors[1] + 0.1 * vectors[2])
    vectors[5] = vectors[0]
    store(connection, db, vectors)
    assert sorted(ok(command("pairs", "rows")).splitlines()) == ["0.9950  1  4", "1.0000  0  5"]
    lines = [json.loads(line) for line in ok(command("pairs", "rows", "--json", "--limit", "1")).splitlines()]
    assert lines == [{"key": 0, "other": 5, "similarity": 1.0}]
    assert ok(command("pairs", "rows", "--threshold", "1", "--method", "ann")) == "1.0000  0  5\n"
    connection.execute("DELETE FROM rows WHERE id = 0")
    assert ok(command("pairs", "rows", "--threshold", "1")) == "no similar pairs\n"
    assert command("pairs", "rows", "--threshold", "2").stderr == (
        "error: threshold must be a cosine above -1 and at most 1, got 2.0\n"
    )


def test_the_benchmark(db: Database, command: Run) -> None:
    report = benchmark.pairs(db, 400, 0.8)
    json.dumps(report.as_json())
    assert [result.method for result in report.results] == ["exact", "ann"]
    exact, ann = report.results
    assert 0 < report.true_pairs <= 20
    assert exact.recall == 1
    assert exact.found == report.true_pairs <= exact.pairs
    assert ann.found / report.true_pairs == ann.recall
    assert 10 < exact.idle_mib <= exact.peak_mib
    text = ok(command("bench", "pairs", "--sentences", "40", "--methods", "exact"))
    assert "40 synthetic sentences of 384 dimensions" in text
    assert "at least 40, got 5" in command("bench", "pairs", "--sentences", "5").stderr
    assert "no method 'best'" in command("bench", "pairs", "--methods", "best").stderr
    assert db.collections() == []
