"""Roles with the rights of the README and no others: owner, worker, readers of two tenants, an application, nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege

import pgencoder
from pgencoder import Database, Dims, Encoding
from pgencoder.errors import MissingRights
from pgencoder.schema import roles
from pgencoder.vectors import Halfvec, HalfvecArray, normalize, register
from pgencoder.worker.worker import WorkerOptions
from tests.conftest import Connection, value
from tests.encoder import WordEncoder

# Cluster-wide, as roles are, so they have names that nobody else uses, and are gone after each test
OWNER, ENCODING, WRITER, NOBODY, MEMBER = "t_owner", "t_encoding", "t_writer", "t_nobody", "t_member"
TENANTS = ("t_ann", "t_ben")
LOGINS = (OWNER, ENCODING, WRITER, NOBODY, MEMBER, *TENANTS)
DOCS = 12
# what a role may do to everything in our schema
RIGHTS = """
SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relkind IN ('r', 'v', 'S')
UNION ALL SELECT oid::regprocedure::text, proacl::text FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace
UNION ALL SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname = 'pgencoder'
UNION ALL SELECT attrelid::regclass || '.' || attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
    AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace)
"""


@dataclass
class App:
    """A database as each role sees it; `superuser` is only there to look."""

    superuser: Connection
    url: sa.URL
    opened: list[Database]

    def url_of(self, role: str) -> str:
        return self.url.set(username=role).render_as_string(False)

    def db(self, role: str) -> Database:
        db = pgencoder.connect(self.url_of(role))
        self.opened.append(db)
        return db

    def session(self, role: str) -> Any:
        return psycopg.connect(self.url_of(role), autocommit=True)

    def work(self, *encoders: WordEncoder) -> None:
        self.db(ENCODING).worker(encoders=encoders).run_once()

    def stored(self, passages: str = "docs_1") -> list[tuple[int, str]]:
        return self.superuser.execute(f"SELECT id, content FROM pgencoder.{passages} ORDER BY id".encode()).fetchall()

    def rows(self) -> list[tuple[int, str]]:
        return self.superuser.execute("SELECT id, body FROM docs ORDER BY id").fetchall()


@pytest.fixture
def app(empty: Connection, empty_url: str) -> Iterator[App]:
    """A migrated database that belongs to no superuser, with its group roles and a table of two tenants."""
    empty.autocommit = True
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
def attached(app: App, words: WordEncoder) -> App:
    app.db(OWNER).attach("docs", ["body"], words)
    return app


@pytest.fixture
def encoded(attached: App, words: WordEncoder) -> App:
    attached.work(words)
    return attached


def of_tenant(rows: Sequence[tuple[int, str]], tenant: str) -> list[tuple[int, str]]:
    return [row for row in rows if TENANTS[row[0] % 2] == tenant]


def searched(session: Connection, encoder: WordEncoder, query: str = "number 1") -> set[int]:
    """What the search function finds."""
    register(session)
    encoding = encoder.encode_query(query)
    arguments = [Halfvec(normalize(encoding.dense)), HalfvecArray(normalize(encoding.tokens))]
    statement = "SELECT id FROM pgencoder.docs_search($1, $2, k => 100)"
    return {key for (key,) in psycopg.RawCursor(session).execute(statement, arguments)}


def test_a_worker_without_rights_on_the_source_encodes_all_rows(attached: App, words: WordEncoder) -> None:
    assert not value(attached.superuser, f"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = '{ENCODING}'")
    attached.work(words)
    assert attached.stored() == attached.rows()
    assert len(attached.stored()) == DOCS
    assert value(attached.superuser, "SELECT to_regclass('pgencoder.docs_1_dense') IS NOT NULL") is True
    with attached.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1; DELETE FROM docs WHERE id = 2")
        writer.execute("UPDATE docs SET id = 40 WHERE id = 4; INSERT INTO docs VALUES (50, 't_ann', 'new')")
        writer.execute("UPDATE docs SET body = '' WHERE id = 6")
    attached.work(words)
    assert attached.stored() == [row for row in attached.rows() if row[1]]
    with attached.session(OWNER) as owner:
        owner.execute("TRUNCATE docs; INSERT INTO docs VALUES (1, 't_ann', 'after')")
    attached.work(words)
    assert attached.stored() == [(1, "after")]
    assert value(attached.superuser, "SELECT count(*) FROM pgencoder.late") == 0


def test_a_worker_completes_a_backfill(attached: App, words: WordEncoder) -> None:
    attached.superuser.execute("DELETE FROM pgencoder.docs_1_queue WHERE id > 3")
    attached.superuser.execute("UPDATE pgencoder.generation SET queued_at = NULL, queued_to = '{3}'")
    attached.work(words)
    assert attached.stored() == attached.rows()


def test_a_worker_moves_late_changes(attached: App, words: WordEncoder) -> None:
    with attached.session(WRITER) as writer:

        class Interrupted(WordEncoder):
            def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
                if not self.encoded:
                    writer.execute("UPDATE docs SET body = 'late' WHERE id = 7; COMMIT")
                return super().encode_documents(texts)

        writer.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM docs")
        attached.work(Interrupted())
    assert (7, "late") in attached.stored()
    assert attached.stored() == attached.rows()


def test_a_worker_isolates_poison_and_tries_again(attached: App, words: WordEncoder) -> None:
    class Poisoned(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if "number 7" in texts:
                raise RuntimeError("cannot read this")
            return super().encode_documents(texts)

    attached.work(Poisoned())
    assert len(attached.stored()) == DOCS - 1
    failed = attached.superuser.execute("SELECT id, last_error FROM pgencoder.docs_1_queue").fetchall()
    assert failed == [(7, "RuntimeError: cannot read this")]
    assert attached.db(ENCODING).retry("docs") == 1
    assert attached.db(ENCODING).sync("docs", encoder=words).rows == 1
    assert attached.stored() == attached.rows()


def test_a_worker_that_runs_is_seen_and_leaves(attached: App, words: WordEncoder) -> None:
    worker = attached.db(ENCODING).worker(encoders=[words], options=WorkerOptions(lease=0.3, poll=0.1))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: len(attached.stored()) == DOCS)
        until(lambda: value(attached.superuser, "SELECT max(rows) FROM pgencoder.worker") == DOCS)
        with attached.session(WRITER) as writer:
            writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
        until(lambda: attached.stored()[0] == (1, "changed"))
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert value(attached.superuser, "SELECT count(*) FROM pgencoder.worker") == 0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_sees_how_far_it_is(encoded: App) -> None:
    (state,) = encoded.db(ENCODING).status()
    # it may count the passages, and not the rows of a table that it may not read
    assert (state.passages, state.source_rows, state.active.coverage, state.queued) == (DOCS, None, None, 0)
    assert encoded.db(OWNER).status()[0].active.coverage == 1


def test_a_worker_may_do_nothing_else(encoded: App, words: WordEncoder) -> None:
    db = encoded.db(ENCODING)
    with encoded.session(ENCODING) as session:
        for statement in (
            "SELECT * FROM docs",
            "UPDATE docs SET body = ''",
            # of a passages table it sees through its own eyes, which the source is closed to
            "SELECT content FROM pgencoder.docs_1",
            "DELETE FROM pgencoder.docs_1",
            "TRUNCATE pgencoder.docs_1_queue",
            "UPDATE pgencoder.generation SET state = 'retired'",
            "UPDATE pgencoder.collection SET source_table = 'pg_authid'",
            "DELETE FROM pgencoder.generation",
            "DROP TABLE pgencoder.docs_1",
            "CREATE TABLE pgencoder.mine ()",
        ):
            with pytest.raises(InsufficientPrivilege):
                session.execute(statement.encode())
    for call in (
        lambda: db.detach("docs"),
        lambda: db.reencode("docs", WordEncoder(name="other")),
        lambda: db.attach("docs", ["body"], words, name="again"),
        lambda: db.migrate(),
    ):
        with pytest.raises(MissingRights) as raised:
            call()
        assert "\n" not in str(raised.value)
    assert encoded.stored() == encoded.rows()


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("policy", ["current_user", "current_setting('app.tenant', true)"])
def test_a_reader_finds_the_passages_of_its_rows_only(
    encoded: App, words: WordEncoder, tenant: str, policy: str
) -> None:
    encoded.superuser.execute(f"ALTER POLICY tenant ON docs USING (tenant = {policy})".encode())
    encoded.superuser.execute(f"ALTER ROLE {tenant} SET app.tenant = '{tenant}'".encode())
    own = of_tenant(encoded.rows(), tenant)
    assert len(own) == DOCS // 2
    with encoded.session(tenant) as session:
        assert session.execute("SELECT id, content FROM pgencoder.docs_1 ORDER BY id").fetchall() == own
        assert searched(session, words) == {key for key, _ in own}
    db = encoded.db(tenant)
    for stage in ("dense", "maxsim", "exhaustive"):
        hits = db.search("docs", "number 1", k=100, stage=stage, encoder=words)
        assert sorted((hit.key, hit.content) for hit in hits) == own
    others = [row for row in encoded.rows() if row not in own]
    assert db.search("docs", others[0][1], k=1, encoder=words)[0].key in dict(own)
    filtered = db.search("docs", "number 1", k=100, filter=db.table("docs").c.id == others[0][0], encoder=words)
    assert filtered == []


@pytest.mark.parametrize("role", [*TENANTS[:1], WRITER, NOBODY])
def test_nobody_but_workers_reads_the_queue_and_what_workers_go_through(encoded: App, role: str) -> None:
    with encoded.session(role) as session:
        for statement in (
            "SELECT * FROM pgencoder.docs_1_queue",
            "SELECT * FROM pgencoder.docs_1_write",
            "SELECT * FROM pgencoder.late",
            "SELECT * FROM pgencoder.worker",
            "SELECT nextval('pgencoder.change')",
            "SELECT * FROM pgencoder.docs_read(ARRAY['1', '2'], 1000)",
            "SELECT * FROM pgencoder.docs_scan(NULL, 100, false)",
            "SELECT pgencoder.docs_1_build()",
            "DELETE FROM pgencoder.docs_1",
            "DELETE FROM pgencoder.docs_1_write",
            "UPDATE pgencoder.generation SET queued_at = NULL",
            # the trigger's function as anybody's own trigger
            "CREATE TEMPORARY TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine EXECUTE FUNCTION"
            " pgencoder.docs_changed()",
            "CREATE TEMPORARY TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine EXECUTE FUNCTION"
            " pgencoder.docs_1_write()",
        ):
            with pytest.raises(InsufficientPrivilege):
                session.execute(statement.encode())


# Functions that PUBLIC may execute, and why nothing is lost by that
PURE = "computes from its arguments alone"
INVOKER = "runs with the rights of the caller, who must have them for all that it does"
OPEN = {
    **dict.fromkeys(
        ["binary_quantize", "check_active", "comparable", "distance", "kernel", "query_dense", "query_tokens", "rate"],
        PURE,
    ),
    **dict.fromkeys(["maxsim", "maxsim_pairs", "maxsim_pairs_sql", "maxsim_sql", "reject_tokens", "score"], PURE),
    **dict.fromkeys(["detach", "read_failed", "read_status", "use_kernel", "docs_search", "docs_visible"], INVOKER),
    **dict.fromkeys(["attached_table", "check_free", "check_source", "source_key", "source_problem"], INVOKER),
    **dict.fromkeys(["source_warning", "missing_parts", "docs_rows"], INVOKER),
}


def test_the_functions_that_anyone_may_execute(encoded: App) -> None:
    functions = encoded.superuser.execute(
        "SELECT proname, bool_or(has_function_privilege('public', oid, 'EXECUTE')), bool_or(prosecdef)"
        " FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace GROUP BY proname"
    ).fetchall()
    assert {name for name, public, _ in functions if public} == set(OPEN)
    assert not {name for name, _, definer in functions if definer} & set(OPEN)
    closed = {name for name, public, _ in functions if not public}
    assert closed == {"docs_active", "docs_changed", "docs_read", "docs_scan", "docs_1_write", "docs_1_build"}


def test_who_may_call_a_function_without_rights_does_nothing_by_it(encoded: App) -> None:
    encoded.superuser.execute(f"GRANT USAGE ON SCHEMA pgencoder TO {NOBODY}".encode())
    with encoded.session(NOBODY) as session:
        for call in (
            "pgencoder.detach('docs')",
            "pgencoder.use_kernel('sql')",
            "pgencoder.read_status()",
            "pgencoder.read_failed()",
            "pgencoder.docs_active()",
            "pgencoder.docs_visible(1, '')",
            "pgencoder.docs_search('[1]', '{}')",
        ):
            with pytest.raises(InsufficientPrivilege):
                session.execute(f"SELECT * FROM {call}".encode())
    assert len(encoded.db(OWNER).collections()) == 1


def test_a_reader_without_the_group_role_needs_what_the_readme_says(encoded: App, words: WordEncoder) -> None:
    encoded.superuser.execute(
        f"GRANT USAGE ON SCHEMA pgencoder TO {NOBODY}; CREATE POLICY nobody ON docs TO {NOBODY} USING (true);"
        f"GRANT SELECT ON docs, pgencoder.docs_1, pgencoder.docs_passages, pgencoder.collection,"
        f" pgencoder.collection_key, pgencoder.generation, pgencoder.revision TO {NOBODY}".encode()
    )
    db = encoded.db(NOBODY)
    with pytest.raises(MissingRights, match="permission denied for function docs_active"):
        db.search("docs", "number 1", encoder=words)
    # who may read the passages is granted the rest by each migration
    encoded.db(OWNER).migrate()
    assert db.search("docs", "number 1", encoder=words)
    encoded.superuser.execute(f"REVOKE EXECUTE ON FUNCTION pgencoder.docs_active() FROM {NOBODY}".encode())
    encoded.superuser.execute(f"GRANT EXECUTE ON FUNCTION pgencoder.docs_active() TO {NOBODY}".encode())
    assert db.search("docs", "number 1", encoder=words)
    # and by each activation
    new = WordEncoder(Dims(24, 8), "new words")
    encoded.db(OWNER).reencode("docs", new)
    encoded.work(words, new)
    encoded.db(OWNER).activate("docs")
    encoded.superuser.execute(f"GRANT SELECT ON pgencoder.docs_2 TO {NOBODY}".encode())
    assert db.search("docs", "number 1", encoder=new)


def test_what_was_granted_to_all_by_an_older_version_is_revoked(encoded: App) -> None:
    encoded.superuser.execute("GRANT EXECUTE ON FUNCTION pgencoder.docs_active() TO PUBLIC")
    encoded.db(OWNER).migrate()
    assert not value(encoded.superuser, "SELECT has_function_privilege('public', 'pgencoder.docs_active()', 'EXECUTE')")


def test_a_role_with_nothing_is_told_so(encoded: App, words: WordEncoder) -> None:
    db = encoded.db(NOBODY)
    calls: list[Callable[[], object]] = [
        lambda: db.search("docs", "number 1", encoder=words),
        lambda: db.sync("docs", encoder=words),
        lambda: db.worker(encoders=[words]),
        lambda: db.status(),
        lambda: db.retry("docs"),
        lambda: db.activate("docs"),
    ]
    for call in calls:
        with pytest.raises(MissingRights, match="README under Rights") as raised:
            call()
        assert "\n" not in str(raised.value)
    with encoded.session(NOBODY) as session, pytest.raises(InsufficientPrivilege):
        searched(session, words)


def test_a_reader_may_not_encode(encoded: App, words: WordEncoder) -> None:
    db = encoded.db(TENANTS[0])
    with pytest.raises(MissingRights):
        db.sync("docs", encoder=words)
    with pytest.raises(MissingRights):
        db.retry("docs")
    assert encoded.stored() == encoded.rows()


def test_a_policy_that_holds_for_the_owner_is_an_error_and_loses_no_passage(encoded: App, words: WordEncoder) -> None:
    encoded.superuser.execute("ALTER TABLE docs FORCE ROW LEVEL SECURITY")
    with encoded.session(OWNER) as owner:
        assert value(owner, "SELECT count(*) FROM docs") == 0
    with encoded.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id < 4")
    before = encoded.stored()
    for role in (OWNER, ENCODING):
        with pytest.raises(MissingRights, match="row-level security policy for table") as raised:
            encoded.db(role).sync("docs", encoder=words)
        assert "\n" not in str(raised.value)
    worker = encoded.db(ENCODING).worker(encoders=[words])
    worker.run_once()
    assert list(worker.targets.problems) == ["docs_1"]
    assert "row-level security" in worker.targets.problems["docs_1"]
    assert encoded.stored() == before
    # nothing was lost and nothing is held: it goes on where it was
    state = encoded.superuser.execute("SELECT id, attempts, claimed_until FROM pgencoder.docs_1_queue ORDER BY id")
    assert state.fetchall() == [(i, 0, None) for i in (1, 2, 3)]
    encoded.superuser.execute("ALTER TABLE docs NO FORCE ROW LEVEL SECURITY")
    encoded.work(words)
    assert encoded.stored() == encoded.rows()


def test_a_truncate_under_a_policy_for_the_owner_loses_no_passage_either(encoded: App, words: WordEncoder) -> None:
    before = encoded.stored()
    # as a TRUNCATE of a child leaves it: every key is looked up again
    encoded.superuser.execute("INSERT INTO pgencoder.late (collection) VALUES ('docs')")
    encoded.superuser.execute("ALTER TABLE docs FORCE ROW LEVEL SECURITY")
    encoded.work(words)
    assert encoded.stored() == before


def test_rights_come_with_collections_and_generations_of_later(encoded: App, words: WordEncoder) -> None:
    new = WordEncoder(Dims(24, 8), "new words")
    owner = encoded.db(OWNER)
    owner.attach("docs", ["body", "tenant"], words, name="later", tokens="halfvec")
    owner.reencode("docs", new)
    encoded.work(words, new)
    assert encoded.stored("docs_2") == encoded.rows()
    assert len(encoded.stored("later_1")) == DOCS
    assert value(encoded.superuser, "SELECT to_regclass('pgencoder.docs_2_dense') IS NOT NULL") is True
    assert owner.activate("docs").number == 2
    for tenant in TENANTS:
        own = {key for key, _ in of_tenant(encoded.rows(), tenant)}
        db = encoded.db(tenant)
        assert {hit.key for hit in db.search("docs", "number", k=100, encoder=new)} == own
        assert {hit.key for hit in db.search("later", "number", k=100, encoder=words)} == own
        with encoded.session(tenant) as session:
            assert searched(session, new) == own
            with pytest.raises(InsufficientPrivilege):
                session.execute("SELECT * FROM pgencoder.docs_2_queue")
            with pytest.raises(InsufficientPrivilege):
                session.execute("SELECT * FROM pgencoder.later_1_write")
    assert owner.drop("docs").number == 1
    owner.detach("later")


def test_migrating_again_keeps_the_rights(encoded: App, words: WordEncoder) -> None:
    before = sorted(encoded.superuser.execute(RIGHTS).fetchall())
    assert any("pgencoder_worker=" in (rights or "") for _, rights in before)
    encoded.db(OWNER).migrate()
    assert sorted(encoded.superuser.execute(RIGHTS).fetchall()) == before
    # also by a member of the owner, for whom everything still belongs to its owner
    encoded.db(MEMBER).migrate()
    assert sorted(encoded.superuser.execute(RIGHTS).fetchall()) == before
    with encoded.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    encoded.work(words)
    assert encoded.stored() == encoded.rows()


def test_a_generation_that_a_member_begins_stops_no_writer(encoded: App, words: WordEncoder) -> None:
    new = WordEncoder(name="new words")
    encoded.db(MEMBER).reencode("docs", new)
    # the trigger runs as its owner, which must be able to queue for the new generation
    with encoded.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    encoded.work(words, new)
    assert encoded.stored("docs_2") == encoded.stored("docs_1") == encoded.rows()
    encoded.db(OWNER).activate("docs")
    encoded.db(OWNER).drop("docs")
    encoded.db(OWNER).detach("docs")


def test_an_upgrade_by_a_member_stops_no_writer(attached: App, words: WordEncoder) -> None:
    attached.superuser.execute("DROP TABLE pgencoder.late, pgencoder.worker")
    attached.superuser.execute(
        "ALTER TABLE pgencoder.generation DROP COLUMN queued_to, DROP COLUMN activated_at, DROP COLUMN index_failures,"
        " DROP COLUMN index_error, DROP COLUMN index_retry_at"
    )
    attached.superuser.execute(
        "ALTER TABLE pgencoder.docs_1 DROP COLUMN row_hash CASCADE; ALTER TABLE pgencoder.docs_1_queue DROP changed_at;"
        "DROP FUNCTION pgencoder.docs_rows;"
        "CREATE POLICY source_row ON pgencoder.docs_1 FOR SELECT USING"
        " (EXISTS (SELECT FROM docs AS source WHERE source.id = docs_1.id));"
        "CREATE INDEX docs_1_queue_seq_idx1 ON pgencoder.docs_1_queue USING btree (seq);"
        "UPDATE pgencoder.revision SET version_num = '0003'"
    )
    attached.db(MEMBER).migrate()
    with attached.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    attached.work(words)
    assert attached.stored() == attached.rows()
    # and the owner may still do it
    attached.db(OWNER).migrate()


def test_a_superuser_attaches_nothing_where_the_schema_is_anothers(app: App, words: WordEncoder) -> None:
    with pytest.raises(MissingRights, match=f'belongs to "{OWNER}", .* connect as "{OWNER}"'):
        app.db(app.superuser.info.user).attach("docs", ["body"], words)


def test_a_passage_older_than_its_row_is_nobody_elses(encoded: App, words: WordEncoder) -> None:
    ann, ben = TENANTS
    (key, content) = of_tenant(encoded.rows(), ann)[0]
    encoded.superuser.execute("DELETE FROM docs WHERE id = %s", [key])
    encoded.superuser.execute("INSERT INTO docs VALUES (%s, %s, 'of another')", [key, ben])
    shown = "SELECT content FROM pgencoder.docs_1 WHERE id = %s"
    with encoded.session(ben) as session:
        # the row is ben's now, the passage is still of what ann's held
        assert encoded.superuser.execute(shown, [key]).fetchall() == [(content,)]
        assert session.execute(shown, [key]).fetchall() == []
        assert key not in searched(session, words, content)
        encoded.work(words)
        assert session.execute(shown, [key]).fetchall() == [("of another",)]
    encoded.superuser.execute("UPDATE docs SET tenant = %s WHERE id = %s", [ann, key])
    with encoded.session(ann) as session:
        assert session.execute(shown, [key]).fetchall() == [("of another",)]


def test_who_may_not_create_roles_is_told_what_to_do(app: App) -> None:
    # dropped here: the owner may grant to group roles, not make them
    for role in (roles.READER, roles.WORKER):
        app.superuser.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
    with app.session(OWNER) as owner:
        with pytest.raises(MissingRights, match="CREATE ROLE pgencoder_reader; CREATE ROLE pgencoder_worker") as raised:
            roles.create(owner)
        assert "\n" not in str(raised.value)
        assert not roles.in_use(owner)
        app.superuser.execute(f"ALTER ROLE {OWNER} CREATEROLE")
        roles.create(owner)
        roles.create(owner)
        assert roles.in_use(owner)


def test_a_database_without_the_roles_needs_none(app: App, words: WordEncoder) -> None:
    for role in (roles.READER, roles.WORKER):
        app.superuser.execute(f"DROP OWNED BY {role}".encode())
    with app.session(OWNER) as owner:
        # the roles are there, for another database of the cluster
        assert not roles.in_use(owner)
    db = app.db(OWNER)
    db.attach("docs", ["body"], words)
    db.reencode("docs", WordEncoder(name="new words"))
    db.migrate()
    rights = app.superuser.execute(RIGHTS).fetchall()
    assert not any("pgencoder_" in (acl or "") for _, acl in rights)
