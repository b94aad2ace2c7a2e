"""Nobody's code runs but our own, whatever others have planted where names are looked up first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from tests.connections import Connection, connect
from tests.security import everything, traps

GROUPS = ("pgencoder_reader", "pgencoder_worker")
LOGINS = ("trap_owner", "trap_worker", "trap_reader", "trap_app", "trap_maker")
TEMPLATE = "template_traps"

# Where the traps are: what becomes of the schema that has them, and the path of the database
LAYOUTS = {
    # pgvector's schema comes first too, to be found by users
    "first": ("", "evil, pg_catalog, blog, public"),
    "better": (
        "ALTER SCHEMA public RENAME TO extensions; ALTER SCHEMA evil RENAME TO public",
        "public, blog, extensions",
    ),
    "user": ("ALTER SCHEMA evil RENAME TO trap_worker", '"$user", blog, public'),
    "superuser": ("", "evil, pg_catalog, blog, public"),
}


@pytest.fixture(scope="module")
def server(server_url: sa.URL) -> Iterator[Connection]:
    """The server, with roles of which none owns a database, and a database full of traps to copy."""
    with connect(server_url) as admin:
        for role in (*LOGINS, *GROUPS):
            admin.execute(f"CREATE ROLE {role} {'NOLOGIN' if role in GROUPS else 'LOGIN'}".encode())
        admin.execute("GRANT pgencoder_reader TO trap_reader, trap_worker; GRANT pgencoder_worker TO trap_worker")
        admin.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        try:
            with connect(server_url, TEMPLATE) as made:
                made.execute("CREATE EXTENSION vector; CREATE SCHEMA evil AUTHORIZATION trap_maker")
                made.execute("CREATE SCHEMA blog AUTHORIZATION trap_owner; GRANT USAGE ON SCHEMA blog TO PUBLIC")
                made.execute("GRANT CREATE ON SCHEMA evil TO PUBLIC")
                assert traps.plant(made, "evil") > 3000
            yield admin
        finally:
            admin.execute(f"DROP DATABASE {TEMPLATE} WITH (FORCE)".encode())
            for role in (*LOGINS, *GROUPS):
                admin.execute(f"DROP ROLE {role}".encode())


@contextmanager
def _trapped(
    server: Connection, layout: str, address: Mapping[str, str]
) -> Iterator[tuple[everything.Parties, Connection]]:
    """The parties in a database with traps, and a superuser's connection to it, which falls into none."""
    change, path = LAYOUTS[layout]
    name = f"traps_{layout}"
    host, root = server.info.host, server.info.user
    server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
    try:
        with ExitStack() as stack:
            admin = stack.enter_context(psycopg.connect(host=host, user=root, dbname=name, autocommit=True))
            admin.execute("SET search_path = pg_catalog")
            admin.execute(change.encode())
            admin.execute(f"ALTER DATABASE {name} SET search_path = {path}".encode())
            admin.execute(f"GRANT CREATE ON DATABASE {name} TO trap_owner".encode())
            owner, worker, reader, app = LOGINS[:4]
            if layout == "user":
                reader = app = worker
            if layout == "superuser":
                owner = worker = reader = app = root
            _prepare(admin, owner)
            dbs = []
            for role in (owner, worker, reader):
                url = sa.URL.create("postgresql", role, database=name, query=address)
                dbs.append(stack.enter_context(pgencoder.connect(url)))
            dbs[0].migrate(roles=True)
            rows = stack.enter_context(psycopg.connect(host=host, user=app, dbname=name, autocommit=True))
            yield everything.Parties(dbs[0], dbs[1], dbs[2], rows, path, {"host": host}), admin
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _prepare(admin: Connection, owner: str) -> None:
    admin.execute("SET search_path = pg_catalog")
    admin.execute(f"SET ROLE {owner};".encode() + everything.TABLES.encode())
    everything.fill(admin)
    admin.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA blog TO trap_app, trap_worker;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA blog TO trap_reader; RESET ROLE"
    )


def _walk(parties: everything.Parties, admin: Connection) -> None:
    failed = {}
    for step in everything.STEPS:
        try:
            step(parties)
        except Exception as error:  # the other steps are done all the same, so that all traps are seen
            failed[step.__name__] = f"{type(error).__name__}: {error}"
        if step in (everything.attach, everything.migrate):  # what they have made is there
            assert traps.bound(admin) == []
    found = traps.sprung(admin)
    assert not found, f"{len(found)} traps sprang: " + "; ".join(found)
    assert not failed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_trap_springs(server: Connection, layout: str) -> None:
    with _trapped(server, layout, {"host": server.info.host}) as (parties, admin):
        _walk(parties, admin)


def test_no_trap_springs_through_a_pooler(server: Connection, pooler: Path) -> None:
    """Where no search path lasts, what is sent is safe by its names alone."""
    with _trapped(server, "superuser", {"host": str(pooler), "port": "6432"}) as (parties, admin):
        # a user's condition has no schemas, and finds what the user's path has
        parties.condition = lambda column: column.op("OPERATOR(pg_catalog.>)", is_comparison=True)(1)
        _walk(parties, admin)


def test_traps_spring(server: Connection) -> None:
    """A user who names no schema falls into them."""
    host, root = server.info.host, server.info.user
    server.execute(f"CREATE DATABASE traps_spring TEMPLATE {TEMPLATE}".encode())
    try:
        with psycopg.connect(host=host, user=root, dbname="traps_spring", autocommit=True) as user:
            for path, statement, expected in (
                ("evil, pg_catalog", "SELECT count(*) FROM pg_catalog.pg_class", "aggregate count"),
                ("evil, pg_catalog", "SELECT relname FROM pg_class LIMIT 1", "table pg_class"),
                ("evil, pg_catalog", "SELECT 'a'::text", "type text"),
                ("evil, pg_catalog", "SELECT 1 + 1", "operator +"),
                ("evil", "SELECT unnest(ARRAY['a'])", "function unnest"),
                ("evil", "SELECT lower(int4range(1, 2))", "function lower"),
                ("evil", "SELECT 'a'::varchar = 'b'::varchar", "operator ="),
                ("evil", "SELECT pg_has_role('pg_monitor'::varchar, 'usage'::varchar)", "function pg_has_role"),
            ):
                user.execute(f"SET search_path = {path}".encode())
                user.execute(statement.encode())
                user.execute("SET search_path = pg_catalog")
                assert any(each.startswith(f"{expected} (") for each in traps.sprung(user)), statement
            assert traps.bound(user) == []
            user.execute("SET search_path = evil")
            user.execute("CREATE VIEW public.bound AS SELECT 'a'::varchar = 'b'::varchar AS same")
            user.execute("CREATE FUNCTION public.bound() RETURNS int RETURN lower(int4range(1, 2))")
            user.execute("CREATE TABLE public.checked (name varchar CHECK (name = 'a'))")
            user.execute("SET search_path = pg_catalog")
            assert len(traps.bound(user)) == 3
    finally:
        server.execute("DROP DATABASE traps_spring WITH (FORCE)")
