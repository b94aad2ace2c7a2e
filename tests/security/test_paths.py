"""The search path of pgencoder's own connections, and that of users, by which tables are found."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

import pgencoder
from pgencoder import Database
from pgencoder.db.connection import pin, schema_of_new
from tests.connections import Connection, url_of, value
from tests.encoder import WordEncoder

ROLE, OTHER = "path_role", "path_other"


@pytest.fixture
def role(connection: Connection, server_url: sa.URL) -> Iterator[str]:
    """The URL of a role that is neither a superuser nor the owner of the database."""
    name = connection.info.dbname
    try:
        for each in (ROLE, OTHER):
            connection.execute(f"CREATE ROLE {each} LOGIN; GRANT CREATE ON DATABASE {name} TO {each}".encode())
        connection.execute(f"ALTER SCHEMA pgencoder OWNER TO {ROLE}".encode())
        connection.execute(
            f"DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'v')"
            f" AND relnamespace = 'pgencoder'::regnamespace LOOP EXECUTE format('ALTER TABLE %s OWNER TO {ROLE}', t);"
            f" END LOOP; END $$; GRANT USAGE, UPDATE ON SEQUENCE pgencoder.change TO {ROLE}".encode()
        )
        yield url_of(server_url.set(username=ROLE), name)
    finally:
        for each in (ROLE, OTHER):
            connection.execute(f"DROP OWNED BY {each} CASCADE; DROP ROLE {each}".encode())


def path_of(db: Database) -> str:
    with db.connection() as connection:
        return str(value(connection, "SHOW search_path"))


@pytest.mark.parametrize(
    ("made", "trusted"),
    [
        ("CREATE SCHEMA s", True),
        (f"CREATE SCHEMA s AUTHORIZATION {ROLE}", True),
        ("CREATE SCHEMA s AUTHORIZATION pg_database_owner", True),
        (f"CREATE SCHEMA s AUTHORIZATION {OTHER}", False),
        (f"CREATE SCHEMA s; GRANT CREATE ON SCHEMA s TO {ROLE}", True),
        (f"CREATE SCHEMA s; GRANT CREATE ON SCHEMA s TO {OTHER}", False),
        ("CREATE SCHEMA s; GRANT CREATE ON SCHEMA s TO PUBLIC", False),
        ("CREATE SCHEMA s; GRANT CREATE ON SCHEMA s TO pgencoder_path_group", False),
        (f"CREATE SCHEMA s AUTHORIZATION {OTHER}; REVOKE ALL ON SCHEMA s FROM {OTHER}", False),
    ],
)
def test_schemas_are_trusted_by_who_may_create_in_them(
    connection: Connection, role: str, made: str, trusted: bool
) -> None:
    connection.execute("CREATE ROLE pgencoder_path_group")
    try:
        connection.execute(f"{made}; GRANT USAGE ON SCHEMA s TO PUBLIC".encode())
        connection.execute(f"ALTER ROLE {ROLE} SET search_path = s, public".encode())
        with pgencoder.connect(role) as db:
            assert path_of(db) == f"pg_catalog, {'s, ' if trusted else ''}public, pg_temp"
            with db.engine.connect() as user:
                assert user.scalar(sa.text("SHOW search_path")) == "s, public", "the user's stays"
    finally:
        connection.execute("DROP SCHEMA IF EXISTS s; DROP ROLE pgencoder_path_group")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("public, pg_catalog", "pg_catalog, public, pg_temp"),
        ("pg_temp, public", "pg_catalog, public, pg_temp"),
        ('"$user", public', "pg_catalog, public, pg_temp"),
        ('"Odd, ""name", public', 'pg_catalog, "Odd, ""name", public, pg_temp'),
        ("missing", "pg_catalog, pg_temp"),
        ("''", "pg_catalog, pg_temp"),
    ],
)
def test_paths_of_all_kinds(connection: Connection, role: str, path: str, expected: str) -> None:
    connection.execute('CREATE SCHEMA "Odd, ""name"; GRANT USAGE ON SCHEMA "Odd, ""name" TO PUBLIC')
    connection.execute(f"CREATE SCHEMA {ROLE} AUTHORIZATION {OTHER}; GRANT USAGE ON SCHEMA {ROLE} TO {ROLE}".encode())
    connection.execute(f"ALTER ROLE {ROLE} SET search_path = {path}".encode())
    with pgencoder.connect(role) as db:
        assert path_of(db) == expected


def test_tables_are_found_on_the_roles_path(connection: Connection, role: str, words: WordEncoder) -> None:
    connection.execute(
        f"CREATE SCHEMA shop AUTHORIZATION {OTHER}; GRANT ALL ON SCHEMA shop TO {ROLE};"
        f"CREATE TABLE shop.things (id int PRIMARY KEY, body text); ALTER TABLE shop.things OWNER TO {ROLE};"
        "INSERT INTO shop.things VALUES (1, 'red'), (2, 'blue');"
        f"ALTER ROLE {ROLE} SET search_path = shop, public".encode()
    )
    with pgencoder.connect(role) as db:
        assert "shop" not in path_of(db)
        with db.connection() as own, own.transaction():
            before = value(own, "SHOW search_path")
            assert pgencoder.catalog.find_source(own, "things").schema == "shop"
            assert value(own, "SHOW search_path") == before, "also within a transaction"


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (f"GRANT CREATE ON SCHEMA public TO {ROLE}", "public"),
        (f"GRANT CREATE ON SCHEMA shop TO {ROLE}", "shop"),
        (f"GRANT CREATE ON SCHEMA public, shop TO {ROLE}", "public"),
        ("", "public"),
    ],
)
def test_new_tables_go_to_a_trusted_schema_if_one_can_be_had(
    connection: Connection, role: str, rights: str, expected: str
) -> None:
    connection.execute(
        f"CREATE SCHEMA shop AUTHORIZATION {OTHER}; GRANT USAGE ON SCHEMA shop TO {ROLE};"
        f"ALTER ROLE {ROLE} SET search_path = shop, public; {rights}".encode()
    )
    with pgencoder.connect(role) as db, db.connection() as own:
        assert schema_of_new(own) == expected


def test_pin_in_a_transaction_of_others(connection: Connection) -> None:
    connection.execute("CREATE SCHEMA evil; GRANT CREATE ON SCHEMA evil TO PUBLIC; SET search_path = evil, public")
    with connection.transaction():
        pin(connection, local=True)
        assert value(connection, "SHOW search_path") == "pg_catalog, public, pg_temp"
    assert value(connection, "SHOW search_path") == "evil, public"


def test_nothing_is_sent_before_the_path_is_set(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def _execute(self: psycopg.Cursor[object], query: object, *arguments: object, **options: object) -> object:
        sent.append(query if isinstance(query, str) else query.as_string())  # type: ignore[attr-defined]
        return execute(self, query, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(psycopg.Cursor, "execute", _execute)
    with pgencoder.connect(url) as db:
        db.collections()
    assert "pg_catalog.set_config('search_path'" in sent[0]
