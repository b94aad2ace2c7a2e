"""Generations: the next is built beside the active one, both in step with the table; swap, swap back, drop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

import pgencoder
from pgencoder import Database
from pgencoder.errors import (
    FingerprintMismatch,
    GenerationConflict,
    GenerationIncomplete,
    InvalidRequest,
    InvalidSource,
    UnknownGeneration,
)
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check
from tests.schema.numbered import STATES, in_step, incomplete, queued
from tests.snapshots import OBJECTS

CHANGES = {
    "insert": "INSERT INTO articles VALUES (51, 'fifty one'), (52, '')",
    "update": "UPDATE articles SET body = 'changed ' || body WHERE id < 4",
    "delete": "DELETE FROM articles WHERE id IN (5, 6)",
    "key": "UPDATE articles SET id = 700 WHERE id = 7",
    "truncate": "TRUNCATE articles",
    "truncate and insert": "TRUNCATE articles; INSERT INTO articles VALUES (8, 'number 8'), (9, 'again')",
    "nothing": "UPDATE articles SET body = body",
}


def sql_search(connection: Connection, encoder: WordEncoder, query: str) -> int:
    register(connection)
    encoding = encoder.encode_query(query)
    row = (
        psycopg.RawCursor(connection)
        .execute(
            "SELECT id FROM pgencoder.articles_search($1, $2, k => 1)",
            [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))],
        )
        .fetchone()
    )
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("tokens", ["bit", "halfvec"])
def test_the_life_of_a_generation(
    fifty_articles: Connection, db: Database, new_words: WordEncoder, tokens: str
) -> None:
    words = WordEncoder()
    assert db.reencode("articles", new_words, tokens=tokens) == 50  # type: ignore[arg-type]
    assert fifty_articles.execute(STATES).fetchall() == [(1, "active"), (2, "building")]
    # searches go on with the active one, before and after the rows of the next are there
    assert db.search("articles", "number 17", k=1)[0].key == 17
    assert sql_search(fifty_articles, words, "number 17") == 17
    report = db.sync("articles")
    assert (report.rows, report.index_built) == (50, True)
    assert db.search("articles", "number 17", k=1)[0].key == 17
    assert sql_search(fifty_articles, words, "number 17") == 17
    assert db.collection("articles").generation.number == 1
    in_step(fifty_articles, 1, 2)

    activated = db.activate("articles")
    assert (activated.number, activated.state, activated.token_type) == (2, "active", tokens)
    assert fifty_articles.execute(STATES).fetchall() == [(1, "retired"), (2, "active")]
    assert check(fifty_articles, db, "articles", new_words) == 50
    assert db.search("articles", "number 17", k=1)[0].key == 17
    assert sql_search(fifty_articles, new_words, "number 17") == 17
    with pytest.raises(psycopg.Error, match="different halfvec dimensions"):
        sql_search(fifty_articles, words, "number 17")

    back = db.rollback("articles")
    assert (back.number, back.token_type) == (1, "bit")
    assert fifty_articles.execute(STATES).fetchall() == [(1, "active"), (2, "retired")]
    assert check(fifty_articles, db, "articles", words) == 50
    assert sql_search(fifty_articles, words, "number 17") == 17
    assert db.rollback("articles").number == 2

    assert db.drop("articles").number == 1
    assert fifty_articles.execute(STATES).fetchall() == [(2, "active")]
    fifty_articles.execute("UPDATE articles SET body = 'still works' WHERE id = 1")
    db.sync("articles")
    assert check(fifty_articles, db, "articles", new_words) == 50
    names = [name for _, _, name in fifty_articles.execute(OBJECTS)]
    assert not [name for name in names if "articles_1" in name]


@pytest.mark.parametrize("change", CHANGES)
def test_generations_stay_in_step(
    fifty_articles: Connection, db: Database, new_words: WordEncoder, change: str
) -> None:
    db.reencode("articles", new_words)
    # while it is built, before anything of it is encoded
    fifty_articles.execute(CHANGES[change].encode())
    db.sync("articles")
    in_step(fifty_articles, 1, 2)
    fifty_articles.execute(
        "TRUNCATE articles; INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 50) AS i"
    )
    db.sync("articles")
    in_step(fifty_articles, 1, 2)
    db.activate("articles")
    # the retired one too
    fifty_articles.execute(CHANGES[change].encode())
    db.sync("articles")
    in_step(fifty_articles, 1, 2)
    check(fifty_articles, db, "articles", new_words)
    db.rollback("articles")
    check(fifty_articles, db, "articles", WordEncoder())


def test_a_worker_encodes_all_generations(fifty_articles: Connection, db: Database, words: WordEncoder) -> None:
    encoders = [words, *(WordEncoder(name=f"words {i}") for i in range(2))]
    for encoder in encoders[1:]:
        db.reencode("articles", encoder)
        db.worker().run_once()
        db.activate("articles")
    fifty_articles.execute("UPDATE articles SET body = 'changed' WHERE id = 1; DELETE FROM articles WHERE id = 2")
    for encoder in encoders:
        encoder.encoded.clear()
    db.worker(encoders=encoders).run_once()
    in_step(fifty_articles, 1, 2, 3)
    assert [encoder.encoded for encoder in encoders] == [["changed"]] * 3
    assert fifty_articles.execute(STATES).fetchall() == [(1, "retired"), (2, "retired"), (3, "active")]
    # the one that was active last, not the oldest
    assert db.rollback("articles").number == 2
    with pytest.raises(UnknownGeneration, match=r"1 \(retired, words\), 3 \(retired, words 1\); give its number"):
        db.drop("articles")
    assert db.drop("articles", 3).number == 3


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_that_is_open_when_a_generation_begins_is_not_lost(
    fifty_articles: Connection, other_session: Connection, db: Database, new_words: WordEncoder, isolation: str
) -> None:
    other_session.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
    other_session.execute("UPDATE articles SET body = 'before' WHERE id = 1")

    def commit() -> None:
        time.sleep(0.3)
        other_session.execute("INSERT INTO articles VALUES (51, 'of the open transaction'); COMMIT")

    writer = threading.Thread(target=commit)
    writer.start()
    assert db.reencode("articles", new_words) == 51
    writer.join()
    db.sync("articles")
    in_step(fifty_articles, 1, 2)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_snapshot_from_before_a_generation_is_not_lost(
    fifty_articles: Connection, other_session: Connection, db: Database, new_words: WordEncoder, isolation: str
) -> None:
    other_session.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
    other_session.execute("SELECT count(*) FROM pg_class")
    db.reencode("articles", new_words)
    other_session.execute(
        "UPDATE articles SET body = 'by an old snapshot' WHERE id = 1; DELETE FROM articles WHERE id = 2"
    )
    other_session.execute("INSERT INTO articles VALUES (51, 'new')")
    other_session.execute("COMMIT")
    db.sync("articles")
    in_step(fifty_articles, 1, 2)


def test_a_transaction_that_rolls_back_leaves_nothing_in_the_new_generation(
    fifty_articles: Connection, other_session: Connection, db: Database, new_words: WordEncoder
) -> None:
    other_session.execute("BEGIN; INSERT INTO articles VALUES (51, 'never')")
    timer = threading.Timer(0.2, lambda: other_session.execute("ROLLBACK"))
    timer.start()
    assert db.reencode("articles", new_words) == 50
    timer.join()
    db.sync("articles")
    in_step(fifty_articles, 1, 2)


def test_reencode_is_patient_with_a_writer(
    fifty_articles: Connection, other_session: Connection, db: Database, new_words: WordEncoder
) -> None:
    other_session.execute("BEGIN; UPDATE articles SET body = 'slow' WHERE id = 1")
    started = time.monotonic()
    # longer than reencode waits at once: it gives up, lets others through, and begins again
    timer = threading.Timer(3.0, lambda: other_session.execute("COMMIT"))
    timer.start()
    assert db.reencode("articles", new_words) == 50
    assert time.monotonic() - started >= 2.9
    timer.join()
    db.sync("articles")
    in_step(fifty_articles, 1, 2)


def test_activate_is_refused_while_something_is_missing(
    fifty_articles: Connection, db: Database, new_words: WordEncoder
) -> None:
    db.reencode("articles", new_words)
    assert "50 rows are encoded in the active generation and not in this one" in incomplete(db)
    fifty_articles.execute("UPDATE pgencoder.generation SET queued_at = NULL WHERE number = 2")
    assert "not all rows of the table are queued yet" in incomplete(db)
    db.sync("articles")
    fifty_articles.execute("DROP INDEX pgencoder.articles_2_dense")
    assert "its index is not built yet" in incomplete(db)
    assert fifty_articles.execute(STATES).fetchall() == [(1, "active"), (2, "building")]
    db.sync("articles")
    # waits in the new one only
    fifty_articles.execute("INSERT INTO pgencoder.articles_2_queue (id) VALUES (7)")
    assert "1 rows are encoded" in incomplete(db)
    fifty_articles.execute(
        "UPDATE pgencoder.articles_2_queue SET run_after = 'infinity', attempts = 6, last_error = 'x'"
    )
    assert "1 of them failed" in incomplete(db)
    db.retry("articles")
    db.sync("articles")
    # waits in both: searches lose nothing that they had
    fifty_articles.execute("UPDATE articles SET body = 'changed' WHERE id = 7")
    assert queued(fifty_articles, 1) == queued(fifty_articles, 2) == [7]
    assert db.activate("articles").number == 2
    db.sync("articles")
    in_step(fifty_articles, 1, 2)


def test_rollback_is_refused_while_the_old_generation_is_behind(
    fifty_articles: Connection, db: Database, new_words: WordEncoder
) -> None:
    with pytest.raises(UnknownGeneration, match="no generation of 'articles' to go back to"):
        db.rollback("articles")
    db.reencode("articles", new_words)
    with pytest.raises(UnknownGeneration, match="go back to"):
        db.rollback("articles")
    db.sync("articles")
    db.activate("articles")
    fifty_articles.execute("INSERT INTO articles VALUES (51, 'since then')")
    # only the new model is there, as where the old one has been uninstalled
    db.sync("articles", encoder=new_words)
    assert (queued(fifty_articles, 1), queued(fifty_articles, 2)) == ([51], [])
    with pytest.raises(GenerationIncomplete, match="1 rows are encoded in the active generation"):
        db.rollback("articles")
    assert db.collection("articles").generation.number == 2


def test_encoders_of_other_generations_are_refused_by_name(
    fifty_articles: Connection, db: Database, words: WordEncoder, new_words: WordEncoder
) -> None:
    db.reencode("articles", new_words)
    db.sync("articles")
    with pytest.raises(FingerprintMismatch, match="encoded by words, not by this new words"):
        db.search("articles", "number 1", encoder=new_words)
    db.activate("articles")
    with pytest.raises(FingerprintMismatch, match="encoded by new words, not by this words"):
        db.search("articles", "number 1", encoder=words)
    with pytest.raises(FingerprintMismatch, match="not by this third"):
        db.sync("articles", encoder=WordEncoder(name="third"))


def test_a_search_in_another_process_follows_the_swap(
    fifty_articles: Connection, url: str, db: Database, words: WordEncoder, new_words: WordEncoder
) -> None:
    with pgencoder.connect(url) as second:
        assert second.search("articles", "number 3", k=1, encoder=words)[0].key == 3
        db.reencode("articles", new_words)
        db.sync("articles")
        db.activate("articles")
        db.drop("articles")
        with pytest.raises(FingerprintMismatch):
            second.search("articles", "number 3", k=1, encoder=words)
        assert second.search("articles", "number 3", k=1, encoder=new_words)[0].key == 3


def test_what_makes_no_sense_is_refused(fifty_articles: Connection, db: Database, new_words: WordEncoder) -> None:
    before = sorted(fifty_articles.execute(OBJECTS).fetchall())
    cases: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (GenerationConflict, "generation 1 of 'articles' is active; activate another", lambda: db.drop("articles", 1)),
        (GenerationConflict, "is active already", lambda: db.activate("articles", 1)),
        (UnknownGeneration, "has no generation 7; it has: 1$", lambda: db.drop("articles", 7)),
        (UnknownGeneration, "has no generation 7; it has: 1$", lambda: db.activate("articles", 7)),
        (UnknownGeneration, "to drop\\? there is only the active one", lambda: db.drop("articles")),
        (UnknownGeneration, "to activate\\? there is only the active one", lambda: db.activate("articles")),
        (InvalidRequest, "bit, halfvec", lambda: db.reencode("articles", new_words, tokens="x")),  # type: ignore[arg-type]
        (InvalidRequest, "default, truncate", lambda: db.reencode("articles", new_words, chunking="x")),  # type: ignore[arg-type]
    ]
    for error, message, call in cases:
        with pytest.raises(error, match=message) as raised:
            call()
        assert "\n" not in str(raised.value)
    assert sorted(fifty_articles.execute(OBJECTS).fetchall()) == before
    db.reencode("articles", new_words)
    before = sorted(fifty_articles.execute(OBJECTS).fetchall())
    with pytest.raises(GenerationConflict, match="is active"):
        db.drop("articles", 1)
    assert sorted(fifty_articles.execute(OBJECTS).fetchall()) == before


def test_a_generation_that_is_built_goes_on_or_is_given_up(
    fifty_articles: Connection, db: Database, new_words: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    assert db.reencode("articles", new_words) == 50
    begun = sorted(fifty_articles.execute(OBJECTS).fetchall())
    assert db.reencode("articles", new_words) == 0, "its rows are queued"
    assert sorted(fifty_articles.execute(OBJECTS).fetchall()) == begun
    assert not caplog.records

    third = WordEncoder(name="third")
    for again, (encoder, options) in enumerate([(third, {}), (third, {"tokens": "halfvec"})], 3):
        assert db.reencode("articles", encoder, **options) == 50  # type: ignore[arg-type]
        assert fifty_articles.execute(STATES).fetchall() == [(1, "active"), (again, "building")]
        assert caplog.messages[again - 3 :] == [
            f"generation {again - 1} of 'articles' is removed: it was being built otherwise"
        ]
    fifty_articles.execute("UPDATE articles SET body = 'changed' WHERE id = 1")
    db.sync("articles")
    in_step(fifty_articles, 1, 4)
    assert db.activate("articles").encoder["model"] == "third"


def test_a_generation_that_was_given_up_is_dropped(
    fifty_articles: Connection, db: Database, new_words: WordEncoder
) -> None:
    before = sorted(fifty_articles.execute(OBJECTS).fetchall())
    db.reencode("articles", new_words)
    assert db.drop("articles").number == 2
    assert sorted(fifty_articles.execute(OBJECTS).fetchall()) == before
    fifty_articles.execute("UPDATE articles SET body = 'still works' WHERE id = 1")
    db.sync("articles")
    in_step(fifty_articles, 1)


DAMAGE = [
    "DROP VIEW pgencoder.articles_1_write CASCADE",
    "DROP FUNCTION pgencoder.articles_1_build()",
    "ALTER TABLE pgencoder.articles_1 DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE pgencoder.articles_1 DROP COLUMN tokens CASCADE",
    'DROP POLICY "pgencoder detach articles" ON pgencoder.articles_1',
    "DROP TRIGGER pgencoder_articles_insert ON articles",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_writes_go_on_after_a_generation_of_a_damaged_collection_is_dropped(
    fifty_articles: Connection, db: Database, new_words: WordEncoder, damage: str
) -> None:
    db.reencode("articles", new_words)
    fifty_articles.execute(damage.encode())
    assert db.status()[0].problem is not None or "TRIGGER" in damage
    assert db.drop("articles", 2).number == 2
    fifty_articles.execute("UPDATE articles SET body = 'changed' WHERE id = 1; INSERT INTO articles VALUES (51, 'new')")
    fifty_articles.execute("DELETE FROM articles WHERE id = 2; TRUNCATE articles")


def test_the_generation_of_a_renamed_table_is_kept(
    fifty_articles: Connection, db: Database, new_words: WordEncoder
) -> None:
    db.reencode("articles", new_words)
    fifty_articles.execute("ALTER TABLE articles RENAME TO moved")
    with pytest.raises(InvalidSource, match=r"called public\.moved now"):
        db.drop("articles", 2)
    fifty_articles.execute("UPDATE moved SET body = 'changed' WHERE id = 1")
    fifty_articles.execute("DROP TABLE moved CASCADE")
    assert db.drop("articles", 2).number == 2


def test_detach_removes_all_generations(connection: Connection, db: Database, words: WordEncoder) -> None:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 9) AS i")
    before = sorted(connection.execute(OBJECTS).fetchall())
    db.attach("articles", ["body"], words)
    db.sync("articles")
    for i in range(3):
        db.reencode("articles", WordEncoder(name=f"words {i}"), tokens="halfvec")
        db.sync("articles")
        if i < 2:
            db.activate("articles")
    assert connection.execute("SELECT count(*) FROM pgencoder.generation").fetchone() == (4,)
    connection.execute("TRUNCATE articles")
    db.detach("articles")
    assert sorted(connection.execute(OBJECTS).fetchall()) == before
    assert value(connection, "SELECT count(*) FROM pgencoder.late") == 0
    connection.execute("INSERT INTO articles VALUES (1, 'still works')")
