"""A search waits for the server once, by a statement that is prepared, and what is prepared follows every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.bench.overhead import round_trips
from pgencoder.errors import ConnectionFailed, InvalidSource, MissingRights, Outdated
from pgencoder.search import Search
from pgencoder.types import KernelName, Stage
from tests.connections import Connection, value
from tests.encoder import WordEncoder

ROLE = "t_searcher"
# a plan for all values is tried after five that know them
WARM = 8


@pytest.fixture
def articles(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, lang text, body text)")
    connection.execute(
        "INSERT INTO articles SELECT i, CASE WHEN i % 2 = 0 THEN 'en' ELSE 'de' END, 'number ' || i"
        " FROM generate_series(1, 700) AS i"
    )
    db.attach("articles", ["body"], words)
    db.sync("articles")
    connection.execute("VACUUM ANALYZE articles, pgencoder.articles_1")
    return connection


@pytest.fixture
def reader(articles: Connection, url: str) -> Iterator[Database]:
    """A role without any rights but those to search."""
    articles.execute(
        f"DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} LOGIN; GRANT USAGE ON SCHEMA pgencoder TO {ROLE};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public, pgencoder TO {ROLE};"
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgencoder TO {ROLE}".encode()
    )
    with pgencoder.connect(sa.make_url(url).set(username=ROLE)) as database:
        yield database
    articles.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}".encode())


@pytest.fixture
def searching(articles: Connection, url: str, words: WordEncoder) -> Iterator[Database]:
    """A database that has a plan, apart from that in which something changes."""
    with pgencoder.connect(url) as database:
        for _ in range(WARM):
            assert keys(database, words)[0] == 8
        yield database


def keys(db: Database, words: WordEncoder, **options: Any) -> list[Any]:
    return [hit.key for hit in db.search("articles", "number 8", encoder=words, **options)]


def prepared(db: Database) -> list[tuple[str, int, int]]:
    """What the connection that the next search takes has prepared, and how often it was planned for its values."""
    with db.own_engine.connect() as session:
        driver: Any = session.connection.driver_connection
        found: list[tuple[str, int, int]] = driver.execute(
            "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%setting%' ORDER BY prepare_time"
        ).fetchall()
        return found


@pytest.mark.parametrize("stage", ["dense", "maxsim", "exhaustive"])
@pytest.mark.parametrize("group", ["passage", "document"])
def test_a_search_waits_for_the_server_once(
    db: Database, reader: Database, words: WordEncoder, stage: Stage, group: Any
) -> None:
    for each in (db, reader):
        for _ in range(2):
            keys(each, words, stage=stage, group=group)
        assert round_trips(each, lambda each=each: keys(each, words, stage=stage, group=group)) == 1  # type: ignore[misc]


def test_a_search_in_an_event_loop_does_so_too(reader: Database, words: WordEncoder) -> None:
    def search() -> None:
        asyncio.run(reader.asearch("articles", "number 8", encoder=words))

    search()
    assert round_trips(reader, search) == 1


def test_a_search_with_a_filter_waits_once_and_a_superuser_twice(
    db: Database, reader: Database, words: WordEncoder
) -> None:
    english = sa.column("lang") == "en"
    for each, trips in ((reader, 1), (db, 2)):
        keys(each, words, filter=english)
        assert round_trips(each, lambda each=each: keys(each, words, filter=english)) == trips  # type: ignore[misc]


def test_a_plan_for_all_queries_is_kept(
    articles: Connection, db: Database, words: WordEncoder, kernel: KernelName
) -> None:
    """Not where the query's tokens would then be turned to bits for each passage, as they would in pure SQL."""
    for stage in ("dense", "maxsim"):
        for _ in range(WARM):
            keys(db, words, stage=stage)
    dense, maxsim = prepared(db)
    assert dense[1:] == (WARM - 5, 5)
    assert maxsim[1:] == ((WARM - 5, 5) if kernel == "native" else (0, WARM))


def test_that_plan_goes_by_the_index(articles: Connection, db: Database, words: WordEncoder) -> None:
    # few rows are better sorted
    articles.execute("INSERT INTO articles SELECT i, 'en', 'number ' || i FROM generate_series(1001, 6000) AS i")
    db.sync("articles")
    articles.execute("VACUUM ANALYZE articles, pgencoder.articles_1")
    keys(db, words, stage="dense")
    with db.own_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        driver: Any = session.connection.driver_connection
        (name,) = driver.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%setting%'").fetchone()
        driver.execute("SET plan_cache_mode = force_generic_plan")
        vector = str([1] * words.dims.dense)
        plan = "\n".join(row[0] for row in driver.execute(f"EXPLAIN EXECUTE {name} ('{vector}')").fetchall())
        driver.execute("RESET plan_cache_mode")
    assert "Index Scan using articles_1_dense" in plan, plan
    assert "$1" in plan, plan  # nothing of the query is in it


@pytest.mark.parametrize("filter", [None, sa.column("lang") == "en"], ids=["plain", "filter"])
def test_connections_that_died_are_replaced(
    articles: Connection, searching: Database, words: WordEncoder, filter: Any
) -> None:
    with searching.connection(), searching.connection():  # two that lie in the pool
        pass
    expected = keys(searching, words, filter=filter)
    for _ in range(2):
        killed = articles.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        assert len(killed) >= 1
        assert all(done for (done,) in killed)
        assert keys(searching, words, filter=filter) == expected
    assert searching.status()[0].name == "articles"


def test_a_server_that_is_gone_is_said_to_be(words: WordEncoder, searching: Database, monkeypatch: Any) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("connection refused")

    keys(searching, words)
    searching.own_engine.dispose()
    monkeypatch.setattr(searching.own_engine.dialect, "connect", refuse)
    with pytest.raises(ConnectionFailed, match="connection refused"):
        keys(searching, words)


@pytest.mark.parametrize("command", ["DEALLOCATE ALL", "DISCARD ALL"])
def test_what_was_prepared_may_be_gone(searching: Database, words: WordEncoder, command: str) -> None:
    assert len(prepared(searching)) == 1
    with searching.own_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        driver: Any = session.connection.driver_connection
        driver.pgconn.exec_(command.encode())  # psycopg does not see it
    for _ in range(3):
        assert keys(searching, words)[0] == 8
    assert len(prepared(searching)) == 1


def reencoded(connection: Connection, db: Database, words: WordEncoder) -> list[int]:
    """Until it is activated nothing changes; the passages of the old one are changed, so that nobody finds them."""
    db.reencode("articles", WordEncoder(words.dims, "other"))
    db.sync("articles")
    db.activate("articles")
    db.rollback("articles")
    db.activate("articles", 2)
    db.rollback("articles")
    connection.execute("DELETE FROM pgencoder.articles_2 WHERE id = 8")
    return [8]


def attached_again(connection: Connection, db: Database, words: WordEncoder) -> list[int]:
    db.detach("articles")
    connection.execute("UPDATE articles SET id = id + 1000")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    return [1008]


def another_type(connection: Connection, db: Database, words: WordEncoder) -> list[int]:
    db.detach("articles")
    connection.execute("ALTER TABLE articles ALTER COLUMN id TYPE bigint")
    db.attach("articles", ["body"], words)
    db.sync("articles")
    return [8]


def deleted(connection: Connection, db: Database, words: WordEncoder) -> list[int]:
    connection.execute("DELETE FROM articles WHERE id = 8; UPDATE articles SET body = 'number 8' WHERE id = 9")
    db.sync("articles")
    return [9]


@pytest.mark.parametrize("change", [reencoded, attached_again, another_type, deleted])
def test_the_next_search_sees_a_change(
    articles: Connection,
    db: Database,
    searching: Database,
    words: WordEncoder,
    change: Callable[[Connection, Database, WordEncoder], list[int]],
) -> None:
    first = change(articles, db, words)
    assert keys(searching, words)[:1] == first
    assert keys(db, words)[:1] == first


def test_another_generation_is_searched_at_once(
    articles: Connection, db: Database, searching: Database, words: WordEncoder
) -> None:
    """Both have the same encoder, so that nothing but the plan tells them apart."""
    db.reencode("articles", tokens="halfvec")
    db.sync("articles")
    articles.execute("DELETE FROM pgencoder.articles_2 WHERE id = 8")
    for number, found in [(2, False), (1, True)] * 3:
        db.activate("articles", number)
        assert (8 in keys(searching, words)) is found


def test_another_kernel_is_used_at_once(
    articles: Connection, native_available: None, db: Database, searching: Database, words: WordEncoder
) -> None:
    def scores() -> list[float]:
        return [hit.score for hit in searching.search("articles", "number 8 and 9", encoder=words)]

    db.use_kernel("native")
    native = [scores() for _ in range(WARM)][-1]
    db.use_kernel("sql")
    plain = scores()
    db.use_kernel("native")
    assert scores() == native
    assert plain != native  # one compares bits with numbers, the other bits with bits


def test_a_renamed_table_is_missed_and_found_again(
    articles: Connection, db: Database, searching: Database, words: WordEncoder
) -> None:
    articles.execute("ALTER TABLE articles RENAME TO moved; CREATE TABLE articles (LIKE moved INCLUDING ALL)")
    articles.execute("INSERT INTO articles SELECT * FROM moved")
    with pytest.raises(InvalidSource, match="not the one"):
        keys(searching, words)
    articles.execute("DROP TABLE articles; ALTER TABLE moved RENAME TO articles")
    assert keys(searching, words)[0] == 8


# The planner runs a function that is called immutable, and the number that it takes stays taken after an error
PLANTED = """
CREATE SEQUENCE ran;
GRANT ALL ON ran TO PUBLIC;
CREATE FUNCTION deed() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE 'SET ROLE NONE'; PERFORM pg_catalog.nextval('public.ran'); RETURN 1; END $$;
CREATE FUNCTION planted(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    $$ BEGIN RETURN public.deed(); END $$;
"""
HAS_RUN = "SELECT is_called FROM ran"


@pytest.mark.parametrize("pipelines", [True, False])
def test_a_superuser_runs_no_view_in_the_place_of_the_table(
    articles: Connection, searching: Database, words: WordEncoder, pipelines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: pipelines)
    trips = round_trips(searching, lambda: keys(searching, words))
    assert trips == (1 if pipelines else 2)
    articles.execute(PLANTED.encode())
    articles.execute("ALTER TABLE articles RENAME TO moved")
    articles.execute("CREATE VIEW articles AS SELECT id, lang, body FROM moved WHERE planted(1) = 1")
    with pytest.raises(InvalidSource, match=r"called public\.moved now"):
        keys(searching, words)
    with pytest.raises(InvalidSource, match=r"called public\.moved now"):
        keys(searching, words, filter=sa.column("lang") == "en")
    assert value(articles, HAS_RUN) is False
    articles.execute("EXPLAIN SELECT id FROM articles LIMIT 1")
    assert value(articles, HAS_RUN) is True  # or else this would show nothing


def test_a_superuser_who_has_set_a_role_is_one(
    articles: Connection, reader: Database, url: str, words: WordEncoder
) -> None:
    articles.execute(PLANTED.encode())
    options = {"options": f"-c role={ROLE}"}
    with pgencoder.connect(sa.make_url(url).update_query_dict(options)) as searching:
        for _ in range(WARM):
            assert keys(searching, words)[0] == 8
        articles.execute("ALTER TABLE articles RENAME TO moved")
        articles.execute("CREATE VIEW articles AS SELECT id, lang, body FROM moved WHERE planted(1) = 1")
        articles.execute(f"GRANT SELECT ON articles TO {ROLE}".encode())
        for filter in (None, sa.column("lang") == "en"):
            with pytest.raises(InvalidSource, match=r"called public\.moved now"):
                keys(searching, words, filter=filter)
    assert value(articles, HAS_RUN) is False


def test_a_description_that_is_no_longer_true_is_said(
    articles: Connection, searching: Database, words: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    described = searching.collection("articles")
    searching.reencode("articles", WordEncoder(words.dims, "other"))
    searching.sync("articles")
    searching.activate("articles")
    searching.drop("articles")
    query = words.encode_query("number 8")
    for filter in (None, sa.text("true")):
        with pytest.raises(Outdated, match="'articles' has changed since it was described; search again"):
            searching.run(described, Search(filter=filter), query)
    assert caplog.messages == []


def test_the_function_takes_no_variable_for_a_column_that_is_gone(
    articles: Connection, searching: Database, words: WordEncoder
) -> None:
    query = words.encode_query("number 8")
    call = (
        "SELECT * FROM pgencoder.articles_search("
        "pgencoder._query_dense(%s::real[]), pgencoder._query_tokens(%s::real[], %s))"
    )
    given = [query.dense.tolist(), query.tokens.ravel().tolist(), query.tokens.shape[1]]
    assert len(articles.execute(call, given).fetchall()) == 10
    articles.execute("ALTER TABLE articles RENAME COLUMN id TO number")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        articles.execute(call, given)
    articles.execute("ALTER TABLE articles RENAME COLUMN number TO id")
    articles.execute("ALTER TABLE pgencoder.articles_1 RENAME COLUMN content TO text")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        articles.execute(call, given)


def test_a_superuser_runs_nothing_in_a_schema_that_was_given_away(
    articles: Connection, reader: Database, searching: Database, words: WordEncoder
) -> None:
    articles.execute(PLANTED.encode())
    articles.execute(f"ALTER SCHEMA pgencoder OWNER TO {ROLE}".encode())
    articles.execute(f"ALTER FUNCTION pgencoder._check_source(text, int, text) OWNER TO {ROLE}".encode())
    with reader.connection() as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION pgencoder._check_source(collection text, generation int, source text)"
            " RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN public.planted(1) = 1; END $$"
        )
    for filter in (None, sa.column("lang") == "en"):
        with pytest.raises(MissingRights, match=f'belongs to "{ROLE}"'):
            keys(searching, words, filter=filter)
    assert value(articles, HAS_RUN) is False
    keys(reader, words)
    assert value(articles, HAS_RUN) is True
    articles.execute("ALTER SCHEMA pgencoder OWNER TO CURRENT_USER")
    articles.execute("ALTER FUNCTION pgencoder._check_source(text, int, text) OWNER TO CURRENT_USER")


def test_a_policy_holds_from_the_next_search_on(articles: Connection, reader: Database, words: WordEncoder) -> None:
    for _ in range(WARM):
        assert keys(reader, words)[0] == 8
    articles.execute("ALTER TABLE articles ENABLE ROW LEVEL SECURITY")
    articles.execute("CREATE POLICY seen ON articles USING (id <> 8)")
    assert 8 not in keys(reader, words)
    articles.execute("ALTER POLICY seen ON articles USING (id = 8)")
    assert keys(reader, words) == [8]
    articles.execute("ALTER TABLE articles DISABLE ROW LEVEL SECURITY")
    assert len(keys(reader, words)) == 10


def test_a_type_of_pgvector_may_be_another_one(articles: Connection, db: Database, words: WordEncoder) -> None:
    """A connection knows its number from when it was made."""
    assert keys(db, words)[0] == 8
    with db.own_engine.connect() as session:
        kept: Any = session.connection.driver_connection
        oid = value(articles, "SELECT 'halfvec'::regtype::oid")
    with pgencoder.connect(db.engine.url) as other:
        other.migrate("base")
        articles.execute("DROP EXTENSION IF EXISTS vector CASCADE")
        other.migrate()
        other.attach("articles", ["body"], words)
        other.sync("articles")
    assert value(articles, "SELECT 'halfvec'::regtype::oid") != oid
    assert not kept.closed
    assert keys(db, words)[0] == 8
