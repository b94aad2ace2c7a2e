"""BM25 as a representation: its scores, what it finds exactly, and that its candidates are the best."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgencoder import Database, Encoding, Hit, errors, select
from pgencoder.catalog.objects import Objects
from pgencoder.ingest import counting
from pgencoder.representations import Lexical
from pgencoder.representations.terms import SETS
from pgencoder.search import Search
from pgencoder.search.ranking import DENSE, LEXICAL, Ranking, ZScores
from tests.application import OWNER, TENANTS, App
from tests.encoder import WordEncoder
from tests.workers import running, until

Connection = psycopg.Connection[Any]

ENGLISH = Lexical(configuration="pg_catalog.english")
USUAL = list(Lexical.usual)
TEXTS = {
    1: "The error ERR_42 is thrown by numpy.linalg.norm",
    2: "An error of the x86_64 compiler, version 3.14",
    3: "ORA-00942: the table or view does not exist",
    4: "Running compilers on tables of /usr/lib/libm.so",
    5: "The ERR_4 and ERR-420 of the state-of-the-art C++ library, but 42",
    6: "",
}


@pytest.fixture
def notes(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", list(TEXTS.items()))
    db.attach("notes", ["body"], words, representations=[ENGLISH])
    assert db.sync("notes").index_built
    return connection


def found(db: Database, query: str, name: str = "notes", **options: Any) -> list[Hit]:
    """Search by words alone, without a model."""
    search = Search(**{"stage": "lexical", **options})
    return db.run(db.collection(name), search, Encoding(WordEncoder().encode_query("").dense, text=query))


def bm25(
    documents: Mapping[int, Counter[int]], query: Counter[int], statistics: Mapping[int, Counter[int]] | None = None
) -> dict[int, float]:
    """The scores of the documents that have a term of the query, as Lucene defines them, by these statistics."""
    known = documents if statistics is None else statistics
    mean = sum(sum(each.values()) for each in known.values()) / len(known)
    scores = {}
    for key, terms in documents.items():
        score = 0.0
        for term, count in query.items():
            frequency = sum(term in each for each in known.values())
            idf = math.log(1 + (len(known) - frequency + 0.5) / (frequency + 0.5))
            saturation = 1.2 * (0.25 + 0.75 * sum(terms.values()) / mean)
            score += count * idf * 2.2 * terms[term] / (terms[term] + saturation)
        if terms.keys() & query.keys():
            scores[key] = score
    return scores


def terms(connection: Connection, text: str, configuration: str = "english") -> Counter[int]:
    rows = connection.execute("SELECT term, count FROM pgencoder._terms(%s::regconfig, %s)", [configuration, text])
    return Counter(dict(rows.fetchall()))


@pytest.mark.parametrize(
    "query", ["error", "the compiler error", "tables compilers tables", "ERR_42 42", "C++ library"]
)
@pytest.mark.parametrize("group", ["passage", "document"])
def test_scores_are_those_of_a_reference(notes: Connection, db: Database, query: str, group: Any) -> None:
    expected = bm25({key: terms(notes, text) for key, text in TEXTS.items() if text}, terms(notes, query))
    hits = found(db, query, k=100, group=group)
    assert {hit.key: hit.score for hit in hits} == pytest.approx(expected, abs=1e-3)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


VOCABULARY = [f"w{i}" for i in range(12)]
DOCUMENTS = st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=40), min_size=1, max_size=12)


@given(first=DOCUMENTS, second=DOCUMENTS, query=st.lists(st.sampled_from([*VOCABULARY, "zebra"]), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_scores_follow_the_statistics(
    connection: Connection, db: Database, first: list[list[str]], second: list[list[str]], query: list[str]
) -> None:
    """A score is exact for the statistics of the last count, whatever they were when the passage was written."""
    connection.execute("DROP TABLE IF EXISTS bags CASCADE; CREATE TABLE bags (id int PRIMARY KEY, body text)")
    if "bags" in [each.name for each in db.collections()]:
        db.detach("bags")
    db.attach("bags", ["body"], WordEncoder(), representations=[Lexical()])
    texts: dict[int, str] = {}
    for some in (first, second):
        for words in some:
            texts[len(texts)] = " ".join(words)
            connection.execute("INSERT INTO bags VALUES (%s, %s)", [len(texts) - 1, texts[len(texts) - 1]])
        db.sync("bags")
        documents = {key: Counter(text.split()) for key, text in texts.items()}
        expected = bm25(documents, Counter(query))  # type: ignore[arg-type]
        hits = found(db, " ".join(query), "bags", k=100)
        assert {hit.key: hit.score for hit in hits} == pytest.approx(expected, abs=1e-3)
    connection.execute("INSERT INTO bags VALUES (1000, 'w1 w2 w2')")
    db.worker(encoders=[WordEncoder()])  # not run: nobody has counted yet
    db.sync("bags", rows=1)
    hits = found(db, "w1 zebra", "bags", k=100)
    documents[1000] = Counter(["w1", "w2", "w2"])
    assert {hit.key for hit in hits} == {key for key, each in documents.items() if "w1" in each}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("ERR_42", [1]),
        ("err_42", [1]),
        ("numpy.linalg", []),  # a part of a name that is longer is found by its words
        ("numpy.linalg.norm", [1]),
        ("ORA-00942", [3]),
        ("x86_64", [2]),
        ("3.14", [2]),
        ("/usr/lib/libm.so", [4]),
        ("C++", [5]),
        ("state-of-the-art", [5]),
    ],
)
def test_identifiers_are_found_exactly(notes: Connection, query: str, keys: list[int]) -> None:
    compound = terms(notes, query, "simple").keys()
    having = [key for key, text in TEXTS.items() if text and compound <= terms(notes, text, "simple").keys()]
    assert having == keys


@pytest.mark.parametrize("query", ["ERR_42", "ORA-00942", "x86_64", "numpy.linalg.norm", "C++", "/usr/lib/libm.so"])
def test_the_exact_identifier_comes_first(notes: Connection, db: Database, query: str) -> None:
    expected = next(key for key, text in TEXTS.items() if query in text)
    assert found(db, query)[0].key == expected


def test_parts_of_identifiers_are_words(notes: Connection, db: Database) -> None:
    assert [hit.key for hit in found(db, "numpy")] == [1]
    assert [hit.key for hit in found(db, "linalg")] == [1]
    assert sorted(hit.key for hit in found(db, "42")) == [1, 5]


def test_words_that_are_in_no_passage_find_nothing(notes: Connection, db: Database) -> None:
    for query in ("zebra", "the of and", "", "?!"):
        assert found(db, query) == []


def test_the_other_recall_answers_where_words_find_nothing(notes: Connection, db: Database) -> None:
    both = Ranking((DENSE, LEXICAL), (DENSE, LEXICAL), ZScores({"dense": 1, "lexical": 1}))
    expected = [hit.key for hit in db.search("notes", "the of and", stage="dense")]
    assert [hit.key for hit in db.search("notes", "the of and", stage=both)] == expected
    assert db.search("notes", "ERR_42", stage=both)[0].key == 1


def test_every_way_to_search_takes_words(notes: Connection, db: Database) -> None:
    expected = [hit.key for hit in found(db, "compiler error")]
    assert [hit.key for hit in db.search("notes", "compiler error", stage="lexical")] == expected
    with db.engine.connect() as session:
        statement = select("notes", "compiler error", stage="lexical", db=db)
        assert [row.id for row in session.execute(statement)] == expected
        table = db.table("notes")
        entity = select(table, "compiler error", stage="lexical", db=db).where(table.c.id > 1)
        assert [row.id for row in session.execute(entity)] == [key for key in expected if key > 1]


def test_it_stays_in_step(notes: Connection, db: Database) -> None:
    notes.execute("UPDATE notes SET body = 'a zebra' WHERE id = 1; DELETE FROM notes WHERE id = 2")
    notes.execute("UPDATE notes SET id = 30 WHERE id = 3")
    db.sync("notes")
    assert [hit.key for hit in found(db, "zebra")] == [1]
    assert found(db, "numpy") == []
    assert [hit.key for hit in found(db, "ORA-00942")] == [30]
    texts = {1: "a zebra", 30: TEXTS[3], 4: TEXTS[4], 5: TEXTS[5]}
    expected = bm25({key: terms(notes, text) for key, text in texts.items()}, terms(notes, "table zebra"))
    assert {hit.key: hit.score for hit in found(db, "table zebra")} == pytest.approx(expected, abs=1e-3)


def test_a_worker_counts_again_when_much_has_changed(notes: Connection, db: Database, words: WordEncoder) -> None:
    before = notes.execute("SELECT passages FROM pgencoder.representation WHERE name = 'lexical'").fetchone()
    assert before == (5,)
    notes.execute("INSERT INTO notes SELECT i, 'zebra ' || i FROM generate_series(100, 120) AS i")
    with running(db.worker(encoders=[words])):
        until(lambda: _counted(notes) == (26,), seconds=60)
    zebra = terms(notes, "zebra").keys()
    (count,) = notes.execute(
        "SELECT sum(passages) FROM pgencoder.notes_1_terms WHERE (element >> 3) & 536870911 = %s - 1", list(zebra)
    ).fetchone() or (0,)
    assert count == 21
    objects = Objects(db.collection("notes"), db.vector_schema)
    with running(db.worker(encoders=[words])), db.connection() as connection:
        until(lambda: not counting.is_due(connection, objects), seconds=60)


def _counted(connection: Connection) -> Any:
    return connection.execute("SELECT passages FROM pgencoder.representation WHERE name = 'lexical'").fetchone()


def test_a_generation_keeps_it(notes: Connection, db: Database, words: WordEncoder) -> None:
    db.reencode("notes", WordEncoder(name="second"))
    db.sync("notes")
    assert ENGLISH in db.activate("notes").representations
    assert found(db, "ERR_42")[0].key == 1
    db.drop("notes", 1)
    assert found(db, "ERR_42")[0].key == 1


def test_a_collection_without_it_says_so(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE plain (id int PRIMARY KEY, body text); INSERT INTO plain VALUES (1, 'alpha')")
    db.attach("plain", ["body"], words, lexical="none")
    db.sync("plain")
    for call in (
        lambda: found(db, "alpha", "plain"),
        lambda: db.search("plain", "alpha", stage="lexical"),
        lambda: db.search("plain", "alpha", fusion="lexical"),
        lambda: db.search("plain", "alpha", weights={"dense": 1, "lexical": 1}),
        lambda: select("plain", "alpha", stage="lexical", db=db),
    ):
        with pytest.raises(errors.InvalidRequest, match="--lexical"):
            call()
    with pytest.raises(psycopg.Error, match="stores no terms to search by"):
        connection.execute("SELECT * FROM pgencoder.plain_lexical('alpha')")


def test_readers_find_only_what_they_may_see(app: App, words: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], words, representations=[ENGLISH])
    app.work(words)
    for tenant in TENANTS:
        hits = app.db(tenant).search("docs", "number", 1000, stage="lexical", encoder=words)
        with app.session(tenant) as session:
            visible = {key for (key,) in session.execute("SELECT id FROM docs")}
        assert {hit.key for hit in hits} == visible
        assert visible


def test_readers_use_the_index(app: App, words: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], words, representations=[ENGLISH])
    app.work(words)
    with app.session(TENANTS[0]) as session:
        session.execute("SET enable_seqscan = off")  # the table is small
        rows = session.execute("EXPLAIN SELECT * FROM pgencoder.docs_by_lexical").fetchall()
        plan = "\n".join(line for (line,) in rows)
        assert "Bitmap Index Scan on docs_1_lexical" in plan
        # the condition of the policy comes after the best passages were found
        assert plan.index("docs_visible") < plan.index("Sort Key") < plan.index("Bitmap Index Scan")


def test_the_view_of_candidates_tells_nothing_of_hidden_rows(app: App, words: WordEncoder) -> None:
    app.db(OWNER).attach("docs", ["body"], words, representations=[ENGLISH])
    app.work(words)
    with app.session(TENANTS[0]) as session:
        assert session.execute("SELECT count(*) FROM pgencoder.docs_by_lexical").fetchone() == (0,)
        asked = session.execute("SELECT weights::text, every FROM pgencoder.docs_lexical(%s)", ["number"]).fetchone()
        assert asked is not None
        for name, value in zip(SETS, [asked[1]] * 3, strict=True):
            session.execute(
                "SELECT set_config(%s, array_to_string(%s::int[], ','), false)", [f"pgencoder.lexical_{name}", value]
            )
        session.execute("SELECT set_config('pgencoder.lexical_weights', %s, false)", [asked[0]])
        found = session.execute("SELECT id, passage FROM pgencoder.docs_by_lexical").fetchall()
        visible = {key for (key,) in session.execute("SELECT id FROM docs")}
        assert {key for key, _ in found} == visible != set()
        # what cannot be compared fails whether there is such a passage or not, by whatever plan
        session.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        for name in SETS[1:]:
            session.execute("SELECT set_config(%s, 'x', false)", [f"pgencoder.lexical_{name}"])
            for elements in (asked[1], [1]):
                session.execute(
                    "SELECT set_config('pgencoder.lexical_any_1', array_to_string(%s::int[], ','), false)", [elements]
                )
                with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="integer"):
                    session.execute("SELECT count(*) FROM pgencoder.docs_by_lexical")
            session.execute("SELECT set_config(%s, '1', false)", [f"pgencoder.lexical_{name}"])
        session.execute("SELECT set_config('pgencoder.lexical_weights', '{1:1}/3', false)")
        for elements in (asked[1], [1]):
            session.execute(
                "SELECT set_config('pgencoder.lexical_any_1', array_to_string(%s::int[], ','), false)", [elements]
            )
            with pytest.raises(psycopg.errors.DataException, match="expected 536870913 dimensions"):
                session.execute("SELECT count(*) FROM pgencoder.docs_by_lexical")


# The choice of candidates

COUNTS = st.lists(
    st.lists(st.integers(0, 5_000), min_size=8, max_size=8).map(lambda n: sorted(n, reverse=True)), max_size=9
)


def choose(
    connection: Connection, counts: Sequence[Sequence[int]], passages: int, budget: int
) -> tuple[list[set[int]], set[int], bool]:
    counts = sorted(map(list, counts))
    impacts = [math.log(1 + (passages - min(each[0], passages) + 0.5) / (each[0] + 0.5)) for each in counts]
    row = connection.execute(
        "SELECT any_1, any_2, any_3, every, complete FROM pgencoder._choose_terms(%s::int[], %s::float8[], %s::int[],"
        " %s, %s, %s::float8[])",
        [list(range(1, len(counts) + 1)), impacts, [list(each) for each in counts], passages, budget, USUAL],
    ).fetchone()
    assert row is not None
    return [set(each) for each in row[:3]], set(row[3]), row[4]


@given(counts=COUNTS, budget=st.integers(1, 20_000))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sets_hold_what_they_must(
    connection: Connection, db: Database, counts: list[list[int]], budget: int
) -> None:
    sets, every, complete = choose(connection, counts, 5_000, budget)
    assert every == {8 * i + level for i in range(len(counts)) for level in range(8)}
    assert complete == (sum(each[0] for each in counts) <= budget)
    if complete:
        assert sets == [every] * 3
        return
    # the rarest terms that fit are in each set at every level
    left, rare = budget, 0
    for each in sorted(counts):
        if each[0] > left:
            break
        left, rare = left - each[0], rare + 1
    for each_set in sets:
        assert {8 * i + level for i in range(rare) for level in range(8)} <= each_set <= every
    # a term that is there at a level is there at all stronger ones
    for each_set in sets:
        for element in each_set:
            assert {element // 8 * 8 + level for level in range(element % 8, 8)} <= each_set


def test_candidates_of_many_passages_are_the_best(connection: Connection, db: Database) -> None:
    """Zipf's words: of queries of common words, and of some rare ones, the best ten are among few candidates."""
    generator = random.Random(3)
    weights = [1 / rank for rank in range(1, 2_001)]
    connection.execute("CREATE TABLE zipf (id int PRIMARY KEY, body text)")
    with connection.cursor().copy("COPY zipf FROM STDIN") as copy:
        for i in range(20_000):
            length = generator.randint(20, 60)
            copy.write_row((i, " ".join(f"w{n}" for n in generator.choices(range(2_000), weights, k=length))))
    connection.execute(
        "CREATE TABLE bags AS SELECT id, (pgencoder._bm25('simple', body)).* FROM zipf;"
        "CREATE TABLE counts AS SELECT element, count(*)::int AS passages FROM bags, unnest(terms) AS element"
        " GROUP BY element"
    )
    recalls = []
    for number in range(24):
        many = (2, 3, 5, 8)[number % 4]
        words = [f"w{n}" for n in generator.sample(range(40), many)]
        if number % 3 == 0:
            words += [f"w{n}" for n in generator.sample(range(100, 2_000), 2)]
        query = terms(connection, " ".join(words), "simple")
        rows = []
        for term in query:
            levels = dict(
                connection.execute(
                    "SELECT element & 7, passages FROM counts WHERE (element >> 3) & 536870911 = %s - 1", [term]
                ).fetchall()
            )
            cumulative = [sum(levels.get(level, 0) for level in range(lowest, 8)) for lowest in range(8)]
            rows.append((cumulative, term))
        rows.sort()
        impacts = [math.log(1 + (20_000 - each[0] + 0.5) / (each[0] + 0.5)) for each, _ in rows]
        vector = "{" + ",".join(f"{t}:{w}" for (_, t), w in zip(rows, impacts, strict=True)) + "}/536870913"
        best = connection.execute("SELECT id, weights <#> %s::sparsevec AS d FROM bags ORDER BY d LIMIT 10", [vector])
        worst = max(distance for _, distance in best.fetchall())
        chosen = connection.execute(
            "SELECT bags.id, weights <#> %(vector)s::sparsevec, c.complete FROM pgencoder._choose_terms("
            "%(terms)s, %(impacts)s::float8[], %(counts)s::int[], 20000, 1500, %(usual)s::float8[]) AS c, bags"
            " WHERE terms && c.any_1 AND terms && c.any_2 AND terms && c.any_3",
            {
                "vector": vector,
                "terms": [term for _, term in rows],
                "impacts": impacts,
                "counts": [each for each, _ in rows],
                "usual": USUAL,
            },
        ).fetchall()
        assert not chosen[0][2]
        assert len(chosen) < 6_000
        recalls.append(min(10, sum(distance <= worst + 1e-6 for _, distance, _ in chosen)) / 10)
    assert sum(recalls) / len(recalls) >= 0.9


def test_a_filter_that_leaves_few_finds_them(connection: Connection, db: Database, words: WordEncoder) -> None:
    """Where the candidates do not pass the filter, all that match are looked at."""
    connection.execute(
        "CREATE TABLE many (id int PRIMARY KEY, body text);"
        "INSERT INTO many SELECT i, repeat('common ', 1 + i % 7) || 'other' || i % 5 || ' thing' || i % 3"
        " FROM generate_series(1, 9000) AS i"
    )
    db.attach("many", ["body"], words, representations=[Lexical()])
    db.sync("many")
    for group in ("passage", "document"):
        for condition, count in (("id = 7001", 1), ("id IN (2, 7001, 8999)", 3), ("id > 9000", 0)):
            hits = found(db, "common other1 thing1", "many", filter=sa.text(condition), group=group)
            matching = connection.execute(f"SELECT count(*) FROM many WHERE {condition}".encode()).fetchone()
            assert len(hits) == count == (matching or (0,))[0]
        assert len(found(db, "common other1 thing1", "many", k=50, group=group)) == 50
