"""A third representation, defined here alone: a signature of 64 bits, by which passages are recalled and scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import psycopg
import pytest
from psycopg import sql

from pgencoder import Database, Encoding, Hit, errors, representations, select
from pgencoder.catalog.objects import Objects
from pgencoder.representations.base import Measure, Parameter, Representation
from pgencoder.representations.dense import DenseVectors
from pgencoder.schema.attach import describe
from pgencoder.schema.script import reencode_script
from pgencoder.search import Search
from pgencoder.search.ranking import DENSE, Alone, Fusion, Ranking
from pgencoder.statements import Part, identifier
from tests.encoder import WordEncoder

Connection = psycopg.Connection[Any]

# an index serves the order of an expression that is inlined, wherever pgvector lives
HAMMING = """
CREATE FUNCTION pgencoder.hamming(signature bit, query bit) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN signature <~> query
"""


def signs(vector: np.ndarray[Any, Any], salt: int) -> np.ndarray[Any, Any]:
    """Which sides of 64 random planes a vector is on."""
    sides: np.ndarray[Any, Any] = np.random.default_rng(salt).standard_normal((64, len(vector))) @ vector > 0
    return sides


@dataclass(frozen=True)
class Hamming(Measure):
    """The bits that differ."""

    name: str = "signature"
    salt: int = 0

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        return {f"{self.name}_bits": "".join("01"[bit] for bit in signs(query.dense, self.salt).astype(int))}

    def query(self, parameters: Mapping[str, str]) -> str:
        return f"CAST({parameters[f'{self.name}_bits']} AS bit(64))"

    def score(self, query: str) -> str:
        return f"OPERATOR(pg_catalog.-) {self.distance(query)}"

    def distance(self, query: str) -> str:
        return f"pgencoder.hamming({self.name}, {query})"


@dataclass(frozen=True)
class Signature(Representation):
    """The signs of random projections of the dense vector."""

    kind: ClassVar[str] = "signature"

    name: str = "signature"
    dims: int = 64
    salt: int = 0

    @property
    def options(self) -> Mapping[str, Any]:
        return {"salt": self.salt}

    @property
    def measure(self) -> Hamming:
        return Hamming(self.name, self.salt)

    def column_type(self, vector: Part) -> Part:
        return sql.SQL("bit(64)")

    def index(self, vector: Part) -> Part:
        return sql.SQL("hnsw ({} {}.bit_hamming_ops)").format(identifier(self.name), vector)

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:
        return ((64).to_bytes(4, "big") + np.packbits(signs(encoding.dense, self.salt)).tobytes(),)

    def size(self, tokens: int) -> int:
        return 12


TOY = Signature(salt=7)
BY_TOY = Ranking((TOY.measure,), (TOY.measure,), Alone(TOY.name))
BOTH = Ranking((DENSE, TOY.measure), (DENSE, TOY.measure), Alone(TOY.name))


@pytest.fixture
def known() -> Iterator[None]:
    representations.register(Signature)
    yield
    del representations._kinds[Signature.kind]


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder, known: None) -> Connection:
    """A collection of 40 rows, `notes`, with signatures."""
    connection.execute(HAMMING)
    connection.execute(
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "INSERT INTO notes SELECT i, 'w' || i || ' w' || i % 5 FROM generate_series(1, 40) AS i"
    )
    db.attach("notes", ["body"], words, representations=[TOY], lexical="none")
    assert db.sync("notes").index_built
    return connection


def differing(connection: Connection, words: WordEncoder, query: str, table: str = "notes_1") -> dict[int, int]:
    """The bits in which each row's signature differs from the query's, by the row."""
    expected = signs(words.encode_query(query).dense, TOY.salt)
    rows = connection.execute(sql.SQL("SELECT id, signature::text FROM {}").format(sql.Identifier("pgencoder", table)))
    return {key: int(((np.array(list(bits)) == "1") != expected).sum()) for key, bits in rows}


def found(db: Database, words: WordEncoder, query: str, search: Search) -> list[Hit]:
    return db.run(db.collection("notes"), search, words.encode_query(query))


def test_it_is_stored_and_described(notes: Connection, db: Database, words: WordEncoder) -> None:
    rows = notes.execute("SELECT name, kind, dims, indexed, options FROM pgencoder.representation ORDER BY name")
    assert rows.fetchall() == [
        ("dense", "dense", 32, True, {}),
        ("signature", "signature", 64, True, {"salt": 7}),
        ("tokens", "bit", 16, False, {}),
    ]
    assert TOY in db.collection("notes").generation.representations
    for key, body, bits in notes.execute(
        "SELECT id, n.body, signature::text FROM notes n JOIN pgencoder.notes_1 USING (id)"
    ):
        expected = signs(words.encode_documents([body])[0].dense, TOY.salt)
        assert bits == "".join("01"[int(bit)] for bit in expected), key
    assert notes.execute("SELECT signature FROM pgencoder.notes_passages LIMIT 1").fetchone() is not None
    assert db.status()[0].indexed
    notes.execute("DROP INDEX pgencoder.notes_1_signature")
    assert not db.status()[0].indexed


@pytest.mark.parametrize("group", ["passage", "document"])
def test_it_recalls_alone(notes: Connection, db: Database, words: WordEncoder, group: Any) -> None:
    distances = differing(notes, words, "w7 w2")
    hits = found(db, words, "w7 w2", Search(5, group=group, stage=BY_TOY))
    assert [-hit.score for hit in hits] == sorted(distances.values())[:5]
    assert [distances[hit.key] for hit in hits] == [-hit.score for hit in hits]
    assert (hits[0].key, [hit.recall_rank for hit in hits]) == (7, [1, 2, 3, 4, 5])


@pytest.mark.parametrize("group", ["passage", "document"])
def test_it_recalls_beside_dense_vectors(notes: Connection, db: Database, words: WordEncoder, group: Any) -> None:
    distances = differing(notes, words, "w7 w2")
    dense = {hit.key: hit for hit in found(db, words, "w7 w2", Search(40, group=group, stage="dense"))}
    hits = found(db, words, "w7 w2", Search(40, group=group, stage=BOTH))
    assert {hit.key: -hit.score for hit in hits} == distances
    assert [-hit.score for hit in hits] == sorted(distances.values())
    few = found(db, words, "w7 w2", Search(16, 16, group=group, stage=BOTH))
    assert {hit.key: -hit.score for hit in few} == {hit.key: distances[hit.key] for hit in few}
    # a score is known of each candidate, whoever recalled it
    assert [hit.dense_score for hit in few] == pytest.approx([dense[hit.key].dense_score for hit in few])
    assert [-hit.score for hit in few] == sorted(distances.values())[:16]


def test_every_search_takes_a_ranking(notes: Connection, db: Database, words: WordEncoder) -> None:
    by_value = [hit.key for hit in found(db, words, "w7 w2", Search(5, stage=BOTH))]
    assert [hit.key for hit in db.search("notes", "w7 w2", 5, stage=BOTH)] == by_value
    table = db.table("notes")
    statement = select(table, "w7 w2", 5, stage=BOTH, db=db)
    with db.engine.connect() as session:
        assert [row.id for row in session.execute(statement)] == by_value


def test_a_ranking_that_cannot_be_hashed_is_refused() -> None:
    @dataclass
    class Changeable(Fusion):
        def score(self, scores: Mapping[str, str]) -> str:
            return next(iter(scores.values()))

    with pytest.raises(errors.InvalidRequest, match="a part of a ranking cannot be hashed"):
        Ranking((DENSE,), (DENSE,), Changeable())


def test_a_script_does_not_lose_it(notes: Connection, db: Database) -> None:
    with db.connection() as connection:
        begun = describe("notes", 1, "building", WordEncoder(name="second"), "bit", "default")
        script = reencode_script(Objects(db.collection("notes"), db.vector_schema, begun))
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="a script cannot encode 'notes' again"):
            connection.execute(script)


def test_its_index_serves_the_recall(notes: Connection, db: Database, words: WordEncoder) -> None:
    notes.execute("SET enable_seqscan = off")
    query = TOY.measure.query({"signature_bits": f"'{'01' * 32}'"})
    statement = f"EXPLAIN SELECT id FROM pgencoder.notes_1 ORDER BY {TOY.measure.distance(query)} LIMIT 3"
    plan = "\n".join(line for (line,) in notes.execute(statement.encode()))
    assert "Index Scan using notes_1_signature" in plan


def test_it_stays_in_step(notes: Connection, db: Database, words: WordEncoder) -> None:
    notes.execute("UPDATE notes SET body = 'new words' WHERE id = 3; DELETE FROM notes WHERE id = 4")
    notes.execute("INSERT INTO notes VALUES (41, 'w41')")
    db.sync("notes", encoder=words)
    distances = differing(notes, words, "new words")
    assert sorted(distances) == [key for key in range(1, 42) if key != 4]
    (hit,) = found(db, words, "new words", Search(1, stage=BY_TOY))
    assert (hit.key, hit.score) == (3, 0)
    # under another key it keeps its vectors
    notes.execute("UPDATE notes SET id = 50 WHERE id = 3")
    db.sync("notes", encoder=words)
    assert found(db, words, "new words", Search(1, stage=BY_TOY))[0].key == 50


def test_generations_keep_it(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.reencode("notes", words, tokens="none")
    db.sync("notes", encoder=words)
    assert db.activate("notes").number == 2
    assert [each.name for each in db.collection("notes").generation.representations] == ["dense", "signature"]
    assert found(db, words, "w7 w2", Search(1, stage=BY_TOY))[0].key == 7
    db.drop("notes", 1)
    numbers = notes.execute("SELECT generation, count(*) FROM pgencoder.representation GROUP BY 1").fetchall()
    assert numbers == [(2, 2)]
    db.detach("notes")
    assert notes.execute("SELECT count(*) FROM pgencoder.representation").fetchone() == (0,)


def test_a_kind_that_is_not_known_is_said(notes: Connection, db: Database) -> None:
    notes.execute("UPDATE pgencoder.representation SET kind = 'of a later version' WHERE name = 'signature'")
    notes.execute("CREATE TABLE others (id int PRIMARY KEY, body text); INSERT INTO others VALUES (1, 'alpha')")
    db.attach("others", ["body"], WordEncoder())
    said = "no representation of the kind 'of a later version'"
    for call in (
        lambda: db.search("notes", "alpha"),
        lambda: db.sync("notes"),
        lambda: db.reencode("notes", WordEncoder(name="second")),
    ):
        with pytest.raises(errors.UnknownRepresentation, match=said):
            call()
    assert [each.name for each in db.status()] == ["notes", "others"]
    db.worker().run_once()  # goes on with the others
    assert len(db.search("others", "alpha")) == 1
    with pytest.warns(UserWarning, match=said):
        db.migrate()
    db.detach("notes")


@pytest.mark.parametrize(
    "name", ["queue", "build", "write", "pkey", "content", "passage", "dense", "tokens", "distance", "k1", "a_score"]
)
def test_names_that_are_taken_are_refused(connection: Connection, db: Database, name: str) -> None:
    connection.execute("CREATE TABLE taken (id int PRIMARY KEY, body text)")
    with pytest.raises(errors.InvalidRequest, match=f"cannot be called '{name}'"):
        db.attach("taken", ["body"], WordEncoder(), representations=[replace(Signature(), name=name)])
    with pytest.raises(errors.InvalidRequest, match="two representations are called 'signature'"):
        db.attach("taken", ["body"], WordEncoder(), representations=[Signature(), Signature()])
    assert db.collections() == []


def test_a_second_vector_of_a_known_kind_is_kept(connection: Connection, db: Database) -> None:
    connection.execute("CREATE TABLE twice (id int PRIMARY KEY, body text); INSERT INTO twice VALUES (1, 'alpha')")
    words = WordEncoder()
    db.attach("twice", ["body"], words, representations=[DenseVectors("title", words.dims.dense)], lexical="none")
    db.sync("twice")
    db.reencode("twice", WordEncoder(name="second"))
    db.sync("twice")
    assert [each.name for each in db.activate("twice").representations] == ["dense", "title", "tokens"]


def test_vectors_cannot_be_adopted_without_it(notes: Connection, db: Database) -> None:
    notes.execute("CREATE TABLE made AS SELECT id, array_fill(1, ARRAY[32])::real[] AS dense FROM notes")
    with pytest.raises(errors.InvalidSource, match="'signature' cannot be taken over"):
        db.adopt("notes", "made", "dense")
