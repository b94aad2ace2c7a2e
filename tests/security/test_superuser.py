"""A superuser who uses a database whose schema pgencoder is another role's runs none of what that role has planted."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

import pgencoder
import pgencoder.alembic
from pgencoder import Database
from pgencoder.errors import MissingRights
from pgencoder.schema import borrowed
from tests.connections import Connection, value
from tests.encoder import WordEncoder

OWNER = "t_planter"
# It takes off whatever role the session has taken, and leaves alone who runs it in a function of its owner's
EVIL = f"""
CREATE FUNCTION pgencoder.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RESET ROLE;
    RESET SESSION AUTHORIZATION;
    ALTER ROLE {OWNER} SUPERUSER;
    RETURN true;
EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN RETURN true;
END $$;
CREATE FUNCTION pgencoder.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pgencoder.evil(); RETURN NEW; END $$;
"""
# What the owner plants, and what a superuser need only do then
TRAPS = {
    "a view instead of a table": (
        "ALTER TABLE pgencoder.collection RENAME TO kept;"
        "CREATE VIEW pgencoder.collection AS SELECT * FROM pgencoder.kept WHERE pgencoder.evil()",
        "SELECT * FROM pgencoder.collection",
    ),
    "a view of the revision": (
        "ALTER TABLE pgencoder.revision RENAME TO kept_revision;"
        "CREATE VIEW pgencoder.revision AS SELECT * FROM pgencoder.kept_revision WHERE pgencoder.evil()",
        "SELECT version_num FROM pgencoder.revision",
    ),
    "a function": (
        "CREATE OR REPLACE FUNCTION pgencoder.kernel() RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS"
        " $$ BEGIN PERFORM pgencoder.evil(); RETURN 'sql'; END $$",
        "SELECT pgencoder.kernel()",
    ),
    "a function with a default": (
        "CREATE FUNCTION pgencoder._read_failed(evil boolean DEFAULT pgencoder.evil(), other int DEFAULT 0)"
        " RETURNS boolean LANGUAGE sql AS 'SELECT $1'",
        "SELECT pgencoder._read_failed(other => 1)",
    ),
    "the function of a collection": (
        "CREATE OR REPLACE FUNCTION pgencoder.docs_active() RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pgencoder.evil(); RETURN '{}'; END $$",
        "SELECT pgencoder.docs_active()",
    ),
    "a rule of a view": (
        """CREATE OR REPLACE RULE "_RETURN" AS ON SELECT TO pgencoder.status DO INSTEAD
            SELECT * FROM pgencoder._read_status() WHERE pgencoder.evil()""",
        "SELECT * FROM pgencoder.status",
    ),
    "a trigger": (
        "CREATE TRIGGER evil BEFORE INSERT ON pgencoder.late FOR EACH ROW EXECUTE FUNCTION pgencoder.evil_trigger()",
        "INSERT INTO pgencoder.late (collection) VALUES ('docs')",
    ),
    "a rule of a table": (
        "CREATE RULE evil AS ON DELETE TO pgencoder.worker DO ALSO SELECT pgencoder.evil()",
        "DELETE FROM pgencoder.worker",
    ),
    "a default": (
        "ALTER TABLE pgencoder.docs_1_queue ADD COLUMN evil boolean DEFAULT pgencoder.evil();"
        "ALTER TABLE pgencoder.docs_1_queue ALTER COLUMN last_error SET DEFAULT pgencoder.evil()",
        "INSERT INTO pgencoder.docs_1_queue (id) VALUES (-1)",
    ),
    "an operator": (
        "CREATE FUNCTION pgencoder.evil_equal(text, int) RETURNS boolean LANGUAGE sql AS 'SELECT pgencoder.evil()';"
        "CREATE OPERATOR pgencoder.= (FUNCTION = pgencoder.evil_equal, LEFTARG = text, RIGHTARG = int)",
        "SELECT 'a'::text OPERATOR(pgencoder.=) 1",
    ),
}


@pytest.fixture
def owner(empty: Connection, empty_url: str, words: WordEncoder) -> Iterator[Database]:
    """The owner of a database with a collection, who is no superuser."""
    database = psycopg.sql.Identifier(empty.info.dbname)
    empty.execute(f"DROP ROLE IF EXISTS {OWNER}; CREATE ROLE {OWNER} LOGIN; CREATE EXTENSION vector".encode())
    empty.execute(psycopg.sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, psycopg.sql.Identifier(OWNER)))
    with pgencoder.connect(sa.make_url(empty_url).set(username=OWNER)) as owner:
        owner.migrate()
        with owner.connection() as connection:
            connection.execute("CREATE TABLE public.docs (id int PRIMARY KEY, body text)")
            connection.execute("INSERT INTO public.docs VALUES (1, 'word')")
        owner.attach("docs", ["body"], words)
        owner.sync("docs")
        yield owner
    empty.execute(psycopg.sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(database))
    empty.execute(f"DROP OWNED BY {OWNER} CASCADE; DROP ROLE {OWNER}".encode())


@pytest.fixture
def superuser(owner: Database, empty_url: str) -> Iterator[Database]:
    with pgencoder.connect(empty_url) as superuser:
        yield superuser


def robbed(admin: Connection) -> bool:
    found = value(admin, f"SELECT rolsuper FROM pg_roles WHERE rolname = '{OWNER}'")
    assert isinstance(found, bool)
    return found


def calls(db: Database, words: WordEncoder) -> dict[str, Callable[[], object]]:
    """All that reaches the database."""
    return {
        "migrate": db.migrate,
        "migrate with roles": lambda: db.migrate(roles=True),
        "migrate to base": lambda: db.migrate("base"),
        "kernel": db.kernel,
        "use_kernel": lambda: db.use_kernel("sql"),
        "status": db.status,
        "workers": db.workers,
        "failed": db.failed,
        "collections": db.collections,
        "collection": lambda: db.collection("docs"),
        "table": lambda: db.table("docs"),
        "attach": lambda: db.attach("docs", ["body"], words, name="more"),
        "detach": lambda: db.detach("docs"),
        "sync": lambda: db.sync("docs", encoder=words),
        "worker": lambda: db.worker(encoders=[words]).run_once(),
        "reencode": lambda: db.reencode("docs", words),
        "activate": lambda: db.activate("docs", 1),
        "rollback": lambda: db.rollback("docs"),
        "drop": lambda: db.drop("docs", 1),
        "adopt": lambda: db.adopt("docs", "docs", "body"),
        "retry": lambda: db.retry("docs"),
        "reconcile": lambda: db.reconcile("docs"),
        "search": lambda: db.search("docs", "word", encoder=words),
        "context": lambda: db.context("docs", "word", encoder=words),
        "explain": lambda: db.explain("docs", "word", 1, encoder=words),
        "similar_pairs": lambda: list(db.similar_pairs("docs")),
        "select": lambda: pgencoder.select("docs", "word", db=db, encoder=words),
        "op.attach_encoding": lambda: operate(db, "attach_encoding", "docs", ["body"], words, name="more"),
        "op.reencode": lambda: operate(db, "reencode", "docs", words),
        "op.detach_encoding": lambda: operate(db, "detach_encoding", "docs"),
        "autogenerate": lambda: borrow(db, borrowed.collections),
    }


def borrow(db: Database, use: Callable[[sa.Connection], object]) -> None:
    """Use a connection of an application's own, as an Alembic environment has it."""
    engine = sa.create_engine(db.engine.url)
    try:
        with engine.begin() as connection:
            use(connection)
    finally:
        engine.dispose()


def operate(db: Database, operation: str, *arguments: Any, **options: Any) -> None:
    """An operation of a migration."""
    borrow(
        db,
        lambda connection: getattr(Operations(MigrationContext.configure(connection)), operation)(
            *arguments, **options
        ),
    )


@pytest.mark.usefixtures("owner")
def test_each_trap_works(empty: Connection) -> None:
    """Or else the tests below would show nothing; also where the superuser has taken the owner's role first."""
    for trap, (planted, bait) in TRAPS.items():
        for role in ("none", OWNER):
            with empty.transaction(force_rollback=True):
                empty.execute(f"SET ROLE {OWNER}".encode())
                empty.execute((EVIL + planted).encode())
                empty.execute(f"SET ROLE {role}".encode())
                assert not robbed(empty)
                empty.execute(bait.encode())
                assert robbed(empty), (trap, role)
    assert not robbed(empty)


def test_a_superuser_is_refused_and_runs_nothing(
    owner: Database, superuser: Database, empty: Connection, words: WordEncoder
) -> None:
    with owner.connection() as connection:
        connection.execute(EVIL.encode())
        for planted, _ in TRAPS.values():
            connection.execute(planted.encode())
    for name, call in calls(superuser, words).items():
        with pytest.raises(MissingRights, match=f'belongs to "{OWNER}", .* connect as "{OWNER}"') as raised:
            call()
        assert "\n" not in str(raised.value)
        assert not robbed(empty), name


def test_a_script_of_a_migration_is_refused(owner: Database, empty: Connection, words: WordEncoder) -> None:
    """It is printed beforehand, and a superuser runs it."""
    printed = io.StringIO()
    options = {"as_sql": True, "output_buffer": printed, "literal_binds": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    operations: Any = Operations(context)
    operations.attach_encoding("docs", ["body"], words, name="more", key={"id": "int"}, schema="public")
    with owner.connection() as connection:
        connection.execute(EVIL.encode())
        for planted, _ in TRAPS.values():
            connection.execute(planted.encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f'belongs to "{OWNER}", who is no superuser'):
        empty.execute(printed.getvalue().encode())
    assert not robbed(empty)


def test_a_connection_may_be_older_than_the_schema(superuser: Database, owner: Database, empty: Connection) -> None:
    admin = empty.info.user
    empty.execute(f'REASSIGN OWNED BY {OWNER} TO "{admin}"'.encode())
    assert superuser.status()[0].passages == 1
    empty.execute(f"ALTER SCHEMA pgencoder OWNER TO {OWNER}".encode())
    for call in (superuser.status, superuser.kernel, superuser.migrate):
        with pytest.raises(MissingRights, match=f'belongs to "{OWNER}"'):
            call()
    # a superuser's own again
    empty.execute(f'ALTER SCHEMA pgencoder OWNER TO "{admin}"'.encode())
    assert superuser.status()[0].passages == 1


def test_a_schema_that_was_given_away_without_its_parts_is_refused(superuser: Database, empty: Connection) -> None:
    empty.execute("ALTER SCHEMA pgencoder OWNER TO CURRENT_USER")
    with pytest.raises(MissingRights, match=f'belongs to "{OWNER}"'):
        superuser.status()


def test_a_predefined_role_is_no_superuser_either(superuser: Database, owner: Database) -> None:
    with owner.connection() as connection:
        connection.execute("ALTER SCHEMA pgencoder OWNER TO pg_database_owner")
        for kind, name in connection.execute(
            "SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass::text"
            " FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relkind IN ('r', 'v')"
        ).fetchall():
            connection.execute(f"ALTER {kind} {name} OWNER TO pg_database_owner".encode())
    with pytest.raises(MissingRights, match='belongs to "pg_database_owner"'):
        superuser.status()


def test_an_owner_who_is_a_superuser_is_trusted(owner: Database, superuser: Database, empty: Connection) -> None:
    empty.execute(f"ALTER ROLE {OWNER} SUPERUSER".encode())
    try:
        superuser.migrate()
        assert superuser.status()[0].passages == 1
    finally:
        empty.execute(f"ALTER ROLE {OWNER} NOSUPERUSER".encode())


def test_a_superuser_whose_session_begins_with_another_role_is_refused_too(superuser: Database) -> None:
    url = superuser.engine.url.update_query_dict({"options": f"-c role={OWNER}"})
    with pgencoder.connect(url) as disguised, pytest.raises(MissingRights, match=f'belongs to "{OWNER}"'):
        disguised.status()


def test_a_schema_that_somebody_made_beforehand_is_not_filled(empty: Connection, empty_url: str) -> None:
    empty.execute(
        f"DROP ROLE IF EXISTS {OWNER}; CREATE ROLE {OWNER}; CREATE SCHEMA pgencoder AUTHORIZATION {OWNER}".encode()
    )
    try:
        with pgencoder.connect(empty_url) as superuser, pytest.raises(MissingRights, match=f'belongs to "{OWNER}"'):
            superuser.migrate()
        assert value(empty, "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace") == 0
    finally:
        empty.execute(f"DROP OWNED BY {OWNER} CASCADE; DROP ROLE {OWNER}".encode())


def test_a_member_of_the_owner_is_no_superuser(owner: Database, empty: Connection, words: WordEncoder) -> None:
    empty.execute(f"DROP ROLE IF EXISTS t_member; CREATE ROLE t_member LOGIN IN ROLE {OWNER}".encode())
    try:
        with pgencoder.connect(owner.engine.url.set(username="t_member")) as member:
            member.migrate()
            assert member.status()[0].passages == 1
            assert member.search("docs", "word", encoder=words)[0].key == 1
    finally:
        empty.execute("DROP OWNED BY t_member; DROP ROLE t_member")
