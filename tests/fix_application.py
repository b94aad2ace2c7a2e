"""Set up an application with roles of few rights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from pgencoder.schema import roles
from tests.application import DOCS, ENCODING, LOGINS, MEMBER, OWNER, TENANTS, WRITER, App
from tests.connections import Connection
from tests.encoder import WordEncoder


@pytest.fixture
def app(empty: Connection, empty_url: str) -> Iterator[App]:
    """A migrated database that belongs to no superuser, with its group roles and a table of two tenants."""
    app = App(empty, sa.make_url(empty_url), [])
    try:
        for role in LOGINS:
            empty.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER".encode())
        for role in (roles.READER, roles.WORKER):
            empty.execute(f"CREATE ROLE {role} NOLOGIN".encode())
        empty.execute(
            f"CREATE EXTENSION vector; GRANT CREATE ON SCHEMA public TO {OWNER};"
            f"GRANT {OWNER} TO {MEMBER}; GRANT {roles.WORKER} TO {ENCODING};"
            f"GRANT {roles.READER} TO {', '.join(TENANTS)};".encode()
        )
        empty.execute(f'GRANT CREATE ON DATABASE "{empty.info.dbname}" TO {OWNER}'.encode())
        app.db(OWNER).migrate()
        with app.session(OWNER) as owner:
            owner.execute(
                "CREATE TABLE docs (id int PRIMARY KEY, tenant text NOT NULL, body text);"
                f"GRANT SELECT ON docs TO {', '.join(TENANTS)};"
                f" GRANT SELECT, INSERT, UPDATE, DELETE ON docs TO {WRITER};"
                "ALTER TABLE docs ENABLE ROW LEVEL SECURITY;"
                f"CREATE POLICY writer ON docs TO {WRITER} USING (true);"
                "CREATE POLICY tenant ON docs FOR SELECT USING (tenant = current_user)".encode()
            )
            owner.execute(
                f"INSERT INTO docs SELECT i, 't_' || (ARRAY['ann', 'ben'])[i % 2 + 1], 'number ' || i"
                f" FROM generate_series(1, {DOCS}) AS i".encode()
            )
            roles.create(owner)
        yield app
    finally:
        for db in app.opened:
            db.close()
        for role in (*LOGINS, roles.READER, roles.WORKER):
            if empty.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                empty.execute(f"DROP OWNED BY {role} CASCADE".encode())
        for role in (*LOGINS, roles.READER, roles.WORKER):
            empty.execute(f"DROP ROLE IF EXISTS {role}".encode())


@pytest.fixture
def attached_app(app: App, words: WordEncoder) -> App:
    app.db(OWNER).attach("docs", ["body"], words)
    return app


@pytest.fixture
def encoded_app(attached_app: App, words: WordEncoder) -> App:
    attached_app.work(words)
    return attached_app
