"""A table that is gone, swapped, restored or changed: everyone is told in one line, nobody sees what is not theirs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import pgencoder
from pgencoder import Database
from pgencoder.errors import InvalidSource
from pgencoder.sqlalchemy import Encoded, EncodedColumns
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from pgencoder.worker import tables
from pgencoder.worker.worker import WorkerOptions
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check

WORDS = WordEncoder()


class Base(DeclarativeBase):
    pass


class Doc(Encoded, Base):
    __tablename__ = "docs"
    __encoding__ = EncodedColumns(columns=["title", "body"], model=WORDS)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]


TABLE = "CREATE TABLE docs (id int PRIMARY KEY, title text, body text);"
OTHERS = "INSERT INTO docs SELECT i, 'new', 'private of ' || i FROM generate_series(3, 8) AS i;"


@dataclass(frozen=True)
class Case:
    """What happens to a table: who says what then, and what is left to do.

    `says` is in the problem. Searches are `refused`, or go on; a worker `stops`, or encodes what is queued. `repaired`
    is False where only people can help. `migrated` is what is left to say after a migration, which makes functions.
    """

    statements: str
    says: str
    refused: bool = True
    stops: bool = True
    repaired: bool = True
    migrated: str | None = "the same"


CASES = {
    "gone": Case("DROP TABLE docs CASCADE", "its table public.docs is gone", repaired=False),
    "renamed": Case("ALTER TABLE docs RENAME TO elsewhere", "is called public.elsewhere now", repaired=False),
    "moved": Case("CREATE SCHEMA s; ALTER TABLE docs SET SCHEMA s", "is called s.docs now", repaired=False),
    "made again": Case(f"DROP TABLE docs CASCADE; {TABLE} {OTHERS}", "was dropped and made again"),
    "made again as another": Case(
        "DROP TABLE docs CASCADE; CREATE TABLE docs (id int PRIMARY KEY, name text)",
        "was dropped and made again",
        repaired=False,
    ),
    "swapped": Case(
        f"ALTER TABLE docs RENAME TO elsewhere; {TABLE} {OTHERS}",
        "is not the one that was attached, which is called public.elsewhere",
    ),
    "a view": Case(
        "ALTER TABLE docs RENAME TO elsewhere; CREATE VIEW docs AS SELECT * FROM elsewhere",
        "is called public.elsewhere now",
        repaired=False,
    ),
    "a column gone": Case("ALTER TABLE docs DROP COLUMN title", "has no column title any more", False, repaired=False),
    "a column renamed": Case("ALTER TABLE docs RENAME title TO headline", "has no column title", False, repaired=False),
    "the key renamed": Case(
        "ALTER TABLE docs RENAME id TO number",
        r"the primary key of public.docs is \(number\), not \(id\)",
        repaired=False,
    ),
    "another key": Case(
        "ALTER TABLE docs DROP CONSTRAINT docs_pkey, ADD PRIMARY KEY (id, title)",
        r"is \(id, title\), not \(id\)",
        refused=False,
        repaired=False,
    ),
    "a longer key": Case("ALTER TABLE docs ALTER id TYPE bigint", "is of type bigint now, not integer", refused=False),
    "the policy dropped": Case(
        'DROP POLICY "pgencoder detach docs" ON pgencoder.docs_1', "generation 1 has lost its policy"
    ),
    "no policies": Case(
        "ALTER TABLE pgencoder.docs_1 DISABLE ROW LEVEL SECURITY",
        "has lost row level security of docs_1",
        refused=False,
        migrated=None,
    ),
    "the queue dropped": Case("DROP TABLE pgencoder.docs_1_queue", "has lost the table docs_1_queue", refused=False),
    "the passages dropped": Case("DROP TABLE pgencoder.docs_1 CASCADE", "generation 1 has lost its policy"),
    "a function dropped": Case(
        "DROP FUNCTION pgencoder.docs_read", "has lost the function docs_read", False, migrated=None
    ),
    "the trigger's function dropped": Case(
        "DROP FUNCTION pgencoder.docs_changed CASCADE",
        "has lost the function docs_changed",
        False,
        migrated="is missing",
    ),
    "triggers off": Case(
        "ALTER TABLE docs DISABLE TRIGGER USER",
        "the trigger pgencoder_docs_delete of public.docs is disabled, pgencoder_docs_insert of public.docs is",
        refused=False,
        stops=False,
    ),
    "a trigger for replicas": Case(
        "ALTER TABLE docs ENABLE REPLICA TRIGGER pgencoder_docs_update",
        "the trigger pgencoder_docs_update of public.docs is for replicas only",
        refused=False,
        stops=False,
    ),
    "a trigger dropped": Case(
        "DROP TRIGGER pgencoder_docs_truncate ON docs",
        "the trigger pgencoder_docs_truncate of public.docs is missing",
        refused=False,
        stops=False,
    ),
    "a trigger of someone else": Case(
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE OR REPLACE TRIGGER pgencoder_docs_insert AFTER INSERT ON docs EXECUTE FUNCTION nothing()",
        "the trigger pgencoder_docs_insert of public.docs is of another function",
        refused=False,
        stops=False,
    ),
    "a trigger of another event": Case(
        "CREATE OR REPLACE TRIGGER pgencoder_docs_insert AFTER DELETE ON docs REFERENCING OLD TABLE AS old_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.docs_changed()",
        "the trigger pgencoder_docs_insert of public.docs is for another event",
        refused=False,
        stops=False,
    ),
    "a child without triggers": Case(
        "CREATE TABLE child () INHERITS (docs)",
        "the trigger pgencoder_docs_delete of public.child is missing",
        refused=False,
        stops=False,
    ),
    "the search function dropped": Case(
        "DROP FUNCTION pgencoder.docs_search", "has lost the function docs_search", False, False, migrated=None
    ),
    "another owner": Case(
        "DROP ROLE IF EXISTS s_keeper; CREATE ROLE s_keeper SUPERUSER; GRANT SELECT ON docs TO s_keeper;"
        "GRANT USAGE ON SCHEMA pgencoder TO s_keeper; ALTER FUNCTION pgencoder.docs_read OWNER TO s_keeper",
        "its functions run as s_keeper, who does not own its table",
        refused=False,
        stops=False,
    ),
}


@pytest.fixture
def attached(connection: Connection, db: Database) -> Iterator[Connection]:
    """Two collections of which one is to break."""
    connection.execute(
        TABLE
        + "INSERT INTO docs SELECT i, 'title', 'number ' || i FROM generate_series(1, 6) AS i;"
        + "CREATE TABLE healthy (id int PRIMARY KEY, body text); INSERT INTO healthy VALUES (1, 'number')"
    )
    db.attach("docs", ["title", "body"], WORDS)
    db.attach("healthy", ["body"], WORDS)
    for name in ("docs", "healthy"):
        db.sync(name)
    yield connection
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 's_keeper'").fetchone():
        connection.execute("DROP OWNED BY s_keeper CASCADE; DROP ROLE s_keeper")


def broken(connection: Connection, case: Case) -> None:
    connection.execute(case.statements.encode())


each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
# without its key a table cannot even be named by a statement; Postgres says so
REFUSED = {name: case for name, case in CASES.items() if case.refused and name != "the key renamed"}
refused = pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())


def by_function(connection: Connection, name: str = "docs") -> list[Any]:
    register(connection)
    encoding = WORDS.encode_query("number 4")
    arguments = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))]
    statement = sql.SQL("SELECT id, content FROM {}($1, $2)").format(sql.Identifier("pgencoder", f"{name}_search"))
    return psycopg.RawCursor(connection).execute(statement.as_bytes(connection), arguments).fetchall()


def by_orm(db: Database, what: Any = "docs") -> list[Any]:
    with db.engine.connect() as session:
        return list(session.execute(pgencoder.select(what, "number 4", db=db)))


@each_case
def test_status_says_what_is_wrong(attached: Connection, db: Database, case: Case) -> None:
    assert [state.problem for state in db.status()] == [None, None]
    broken(attached, case)
    docs, healthy = db.status()
    with pytest.raises(InvalidSource, match=case.says):
        raise InvalidSource(docs.problem or "")
    assert "pgencoder repair docs" in (docs.problem or "") or "pgencoder detach docs" in (docs.problem or "")
    assert "\n" not in (docs.problem or "")
    assert (healthy.problem, healthy.passages, healthy.source_rows) == (None, 1, 1)
    assert value(attached, "SELECT problem FROM pgencoder.status WHERE collection = 'docs'") == docs.problem


@each_case
def test_searches_are_refused_or_right(attached: Connection, db: Database, case: Case) -> None:
    ways: list[Callable[[], Any]] = [
        lambda: db.search("docs", "number 4"),
        lambda: db.search("docs", "number 4", stage="exhaustive"),
        lambda: db.context("docs", "number 4"),
        lambda: db.explain("docs", "number 4", 4),
        lambda: list(db.similar_pairs("docs", 0.5)),
    ]
    for way in ways:
        way()  # so that it is described already
    broken(attached, case)
    for way in ways:
        if case.refused:
            with pytest.raises(InvalidSource) as raised:
                way()
            assert "\n" not in str(raised.value)
            assert "pgencoder repair docs" in str(raised.value) or "pgencoder detach docs" in str(raised.value)
        elif "column" not in case.says:  # a context reads the columns
            way()
    assert [hit.key for hit in db.search("healthy", "number")] == [1]


@refused
def test_the_search_function_and_statements_are_refused_too(attached: Connection, db: Database, case: Case) -> None:
    assert len(by_function(attached)) == 6
    assert len(by_orm(db)) == len(by_orm(db, Doc)) == 6
    described = pgencoder.select("docs", "number 4", db=db)
    broken(attached, case)
    if "docs_1 CASCADE" not in case.statements:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="docs") as raised:
            by_function(attached)
        assert "pgencoder repair docs" in (raised.value.diag.message_hint or "")
    with db.engine.connect() as session, pytest.raises(sa.exc.DBAPIError, match="docs"):
        session.execute(described)
    with pytest.raises(sa.exc.DBAPIError, match="docs"):
        by_orm(db, Doc)


@each_case
def test_what_encodes_says_so_and_does_the_others(attached: Connection, db: Database, case: Case) -> None:
    attached.execute("UPDATE docs SET body = 'queued' WHERE id = 4; UPDATE healthy SET body = 'queued'")
    broken(attached, case)
    WORDS.encoded.clear()
    worker = db.worker(encoders=[WORDS], options=WorkerOptions(poll=0.1))
    worker.run_once()
    said = {
        **worker.generations.problems,
        **{f"{name}_1": text for name, text in worker.generations.tables.warnings.items()},
    }
    with pytest.raises(InvalidSource, match=case.says):
        raise InvalidSource(said["docs_1"])
    assert "healthy_1" not in said
    assert ("docs_1" in worker.generations.problems) is case.stops
    assert WORDS.encoded == ["queued"] if case.stops else sorted(WORDS.encoded) == ["queued", "title queued"]
    if case.stops:
        for call in (lambda: db.sync("docs"), lambda: db.reconcile("docs")):
            with pytest.raises(InvalidSource, match=case.says) as raised:
                call()
            assert "\n" not in str(raised.value)
    else:
        db.sync("docs")
        with pytest.raises(InvalidSource, match=case.says):
            raise InvalidSource(db.reconcile("docs").warning or "")


@each_case
def test_a_migration_goes_on_and_names_it(attached: Connection, db: Database, case: Case) -> None:
    attached.execute("DROP FUNCTION pgencoder.healthy_search")
    broken(attached, case)
    known = "SELECT pgencoder._attached_table(to_regclass('pgencoder.docs_1'))"
    before = value(attached, known)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        db.migrate()
    said = [str(each.message) for each in caught]
    assert all("\n" not in each and "'docs'" in each for each in said)
    if case.migrated is None:
        assert said == []
    else:
        with pytest.raises(InvalidSource, match=case.says if case.migrated == "the same" else case.migrated):
            raise InvalidSource(said[0])
    # it does not take another table for the one that was attached
    assert value(attached, known) == before
    assert (db.status()[0].problem is None) is (case.migrated is None)
    assert [row[0] for row in by_function(attached, "healthy")] == [1]


@each_case
def test_repair_mends_it_or_says_why_not(attached: Connection, db: Database, case: Case) -> None:
    WORDS.encoded.clear()
    broken(attached, case)
    if not case.repaired:
        with pytest.raises(InvalidSource) as raised:
            db.repair("docs")
        assert "\n" not in str(raised.value)
        assert "pgencoder detach docs" in str(raised.value)
        with pytest.raises(InvalidSource):
            db.sync("docs")
        db.detach("docs")
        return
    with pytest.raises(InvalidSource, match=case.says):
        raise InvalidSource(db.repair("docs").problem or "")
    assert [state.problem for state in db.status()] == [None, None]
    attached.execute("INSERT INTO docs VALUES (101, 'after', 'the repair'); DELETE FROM docs WHERE id = 6")
    db.sync("docs")
    assert check(attached, db, "docs", WORDS) == value(attached, "SELECT count(*) FROM docs")
    assert db.search("docs", "after the repair")[0].key == 101
    assert db.repair("docs").problem is None


@each_case
def test_attach_all_mends_it_or_says_why_not(attached: Connection, db: Database, case: Case) -> None:
    assert pgencoder.attach_all(Base, db).unchanged == ("docs",)
    broken(attached, case)
    if not case.repaired:
        with pytest.raises(InvalidSource):
            pgencoder.attach_all(Base, db)
        return
    report = pgencoder.attach_all(Base, db)
    assert (report.repaired, report.unchanged, report.changed) == (("docs",), (), True)
    assert pgencoder.attach_all(Base, db).unchanged == ("docs",)


@each_case
def test_it_can_be_detached_and_attached(attached: Connection, db: Database, case: Case) -> None:
    broken(attached, case)
    db.detach("docs")
    assert [each.name for each in db.collections()] == ["healthy"]
    attached.execute("DROP VIEW IF EXISTS docs" if "VIEW" in case.statements else "DROP TABLE IF EXISTS docs CASCADE")
    attached.execute(TABLE + OTHERS)
    db.attach("docs", ["title", "body"], WORDS)
    db.sync("docs")
    assert check(attached, db, "docs", WORDS) == 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        db.migrate()


def test_a_role_whose_triggers_are_silent_is_named(attached: Connection, db: Database) -> None:
    name = attached.info.dbname
    attached.execute("DROP ROLE IF EXISTS s_keeper; CREATE ROLE s_keeper")
    try:
        attached.execute(f'ALTER ROLE s_keeper IN DATABASE "{name}" SET session_replication_role = replica'.encode())
        assert "session_replication_role is replica for s_keeper" in (db.status()[0].problem or "")
        attached.execute(f'ALTER DATABASE "{name}" SET session_replication_role = replica'.encode())
        assert "replica for" in (db.status()[0].problem or "")
        assert "every role" in (db.status()[0].problem or "")
    finally:
        attached.execute(
            f'ALTER DATABASE "{name}" RESET ALL; ALTER ROLE s_keeper IN DATABASE "{name}" RESET ALL'.encode()
        )
    assert db.status()[0].problem is None


def test_dropping_the_table_names_what_to_do(attached: Connection) -> None:
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as raised:
        attached.execute("DROP TABLE docs")
    assert "pgencoder detach docs" in (raised.value.diag.message_detail or "")


def test_a_table_that_is_back_needs_nothing(attached: Connection, db: Database) -> None:
    attached.execute("ALTER TABLE docs RENAME TO elsewhere")
    assert db.status()[0].problem is not None
    attached.execute("ALTER TABLE elsewhere RENAME TO docs; UPDATE docs SET body = 'back' WHERE id = 1")
    assert db.status()[0].problem is None
    db.sync("docs")
    assert check(attached, db, "docs", WORDS) == 6


def test_a_running_worker_tells_and_goes_on_after_a_repair(
    attached: Connection, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "LOOK_SECONDS", 0)
    worker = db.worker(encoders=[WORDS])
    worker.run_once()
    attached.execute(f"ALTER TABLE docs RENAME TO elsewhere; {TABLE} {OTHERS}")
    worker.run_once()
    assert "docs_1" in worker.generations.problems
    db.repair("docs")
    worker.run_once()
    assert worker.generations.problems == {}
    assert check(attached, db, "docs", WORDS) == 6


def test_generations_of_a_table_that_is_gone(attached: Connection, db: Database) -> None:
    second = WordEncoder(name="second")
    db.reencode("docs", second)
    db.sync("docs", encoder=second)
    attached.execute("ALTER TABLE docs RENAME TO elsewhere; CREATE VIEW docs AS SELECT * FROM elsewhere")
    for call in (
        lambda: db.reencode("docs", WordEncoder(name="third")),
        lambda: db.activate("docs", 2),
        lambda: db.adopt("docs", "elsewhere", "body"),
        lambda: db.drop("docs", 2),  # or else every write to the table would fail
    ):
        with pytest.raises(InvalidSource, match=r"is called public\.elsewhere now"):
            call()
    attached.execute("INSERT INTO elsewhere VALUES (99, 'still', 'written')")
    attached.execute("DROP VIEW docs; ALTER TABLE elsewhere RENAME TO docs")
    db.repair("docs")
    assert db.drop("docs", 2).number == 2
    assert [each.number for each in db.collection("docs").generations] == [1]
    attached.execute("INSERT INTO docs VALUES (100, 'back', 'again')")
    db.sync("docs", encoder=WORDS)
    assert db.search("docs", "again", k=1, encoder=WORDS)[0].key == 100


def test_a_view_in_the_tables_place_runs_nothing_as_a_superuser(attached: Connection, db: Database) -> None:
    """The planner calls what it takes for a constant."""
    attached.execute(
        "CREATE SEQUENCE seen;"
        "CREATE FUNCTION evil() RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " $$BEGIN PERFORM nextval('public.seen'); RETURN 1000; END$$;"
        "ALTER TABLE docs RENAME TO elsewhere;"
        "CREATE VIEW docs AS SELECT * FROM elsewhere WHERE id < public.evil()"
    )
    assert value(attached, "SELECT is_called FROM seen") is False
    for call in (
        lambda: db.search("docs", "red", encoder=WORDS),
        lambda: db.context("docs", "red", encoder=WORDS),
        db.status,
    ):
        with suppress(InvalidSource):
            call()
        assert value(attached, "SELECT is_called FROM seen") is False, call
