"""Roles with the rights of the README and no others: owner, worker, readers of two tenants, an application, nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from psycopg.errors import InsufficientPrivilege

from pgencoder import Dims, Encoding
from pgencoder.errors import MissingRights
from pgencoder.schema import roles
from pgencoder.worker.worker import WorkerOptions
from tests.application import DOCS, ENCODING, MEMBER, NOBODY, OWNER, TENANTS, WRITER, App, of_tenant, searched
from tests.connections import value
from tests.encoder import WordEncoder

# what a role may do to everything in our schema
RIGHTS = """
SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace AND relkind IN ('r', 'v', 'S')
UNION ALL SELECT oid::regprocedure::text, proacl::text FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace
UNION ALL SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname = 'pgencoder'
UNION ALL SELECT attrelid::regclass || '.' || attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
    AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgencoder'::regnamespace)
"""


def test_a_worker_without_rights_on_the_source_encodes_all_rows(attached_app: App, words: WordEncoder) -> None:
    assert not value(
        attached_app.superuser, f"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = '{ENCODING}'"
    )
    attached_app.work(words)
    assert attached_app.stored() == attached_app.rows()
    assert len(attached_app.stored()) == DOCS
    assert value(attached_app.superuser, "SELECT to_regclass('pgencoder.docs_1_dense') IS NOT NULL") is True
    with attached_app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1; DELETE FROM docs WHERE id = 2")
        writer.execute("UPDATE docs SET id = 40 WHERE id = 4; INSERT INTO docs VALUES (50, 't_ann', 'new')")
        writer.execute("UPDATE docs SET body = '' WHERE id = 6")
    attached_app.work(words)
    assert attached_app.stored() == [row for row in attached_app.rows() if row[1]]
    with attached_app.session(OWNER) as owner:
        owner.execute("TRUNCATE docs; INSERT INTO docs VALUES (1, 't_ann', 'after')")
    attached_app.work(words)
    assert attached_app.stored() == [(1, "after")]
    assert value(attached_app.superuser, "SELECT count(*) FROM pgencoder.late") == 0


def test_a_worker_completes_a_backfill(attached_app: App, words: WordEncoder) -> None:
    attached_app.superuser.execute("DELETE FROM pgencoder.docs_1_queue WHERE id > 3")
    attached_app.superuser.execute("UPDATE pgencoder.generation SET queued_at = NULL, queued_to = '{3}'")
    attached_app.work(words)
    assert attached_app.stored() == attached_app.rows()


def test_a_worker_moves_late_changes(attached_app: App, words: WordEncoder) -> None:
    with attached_app.session(WRITER) as writer:

        class Interrupted(WordEncoder):
            def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
                if not self.encoded:
                    writer.execute("UPDATE docs SET body = 'late' WHERE id = 7; COMMIT")
                return super().encode_documents(texts)

        writer.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM docs")
        attached_app.work(Interrupted())
    assert (7, "late") in attached_app.stored()
    assert attached_app.stored() == attached_app.rows()


def test_a_worker_isolates_poison_and_tries_again(attached_app: App, words: WordEncoder) -> None:
    class Poisoned(WordEncoder):
        def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
            if "number 7" in texts:
                raise RuntimeError("cannot read this")
            return super().encode_documents(texts)

    attached_app.work(Poisoned())
    assert len(attached_app.stored()) == DOCS - 1
    failed = attached_app.superuser.execute("SELECT id, last_error FROM pgencoder.docs_1_queue").fetchall()
    assert failed == [(7, "RuntimeError: cannot read this")]
    assert attached_app.db(ENCODING).retry("docs") == 1
    assert attached_app.db(ENCODING).sync("docs", encoder=words).rows == 1
    assert attached_app.stored() == attached_app.rows()


def test_a_worker_that_runs_is_seen_and_leaves(attached_app: App, words: WordEncoder) -> None:
    worker = attached_app.db(ENCODING).worker(encoders=[words], options=WorkerOptions(lease=0.3, poll=0.1))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: len(attached_app.stored()) == DOCS)
        until(lambda: value(attached_app.superuser, "SELECT max(rows) FROM pgencoder.worker") == DOCS)
        with attached_app.session(WRITER) as writer:
            writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
        until(lambda: attached_app.stored()[0] == (1, "changed"))
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert value(attached_app.superuser, "SELECT count(*) FROM pgencoder.worker") == 0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_sees_how_far_it_is(encoded_app: App) -> None:
    (state,) = encoded_app.db(ENCODING).status()
    # it may count the passages, and not the rows of a table that it may not read
    assert (state.passages, state.source_rows, state.active.coverage, state.queued) == (DOCS, None, None, 0)
    assert encoded_app.db(OWNER).status()[0].active.coverage == 1


def test_a_worker_may_do_nothing_else(encoded_app: App, words: WordEncoder) -> None:
    db = encoded_app.db(ENCODING)
    with encoded_app.session(ENCODING) as session:
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
    assert encoded_app.stored() == encoded_app.rows()


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("policy", ["current_user", "current_setting('app.tenant', true)"])
def test_a_reader_finds_the_passages_of_its_rows_only(
    encoded_app: App, words: WordEncoder, tenant: str, policy: str
) -> None:
    encoded_app.superuser.execute(f"ALTER POLICY tenant ON docs USING (tenant = {policy})".encode())
    encoded_app.superuser.execute(f"ALTER ROLE {tenant} SET app.tenant = '{tenant}'".encode())
    own = of_tenant(encoded_app.rows(), tenant)
    assert len(own) == DOCS // 2
    with encoded_app.session(tenant) as session:
        assert session.execute("SELECT id, content FROM pgencoder.docs_1 ORDER BY id").fetchall() == own
        assert searched(session, words) == {key for key, _ in own}
    db = encoded_app.db(tenant)
    for stage in ("dense", "maxsim", "exhaustive"):
        hits = db.search("docs", "number 1", k=100, stage=stage, encoder=words)
        assert sorted((hit.key, hit.content) for hit in hits) == own
    others = [row for row in encoded_app.rows() if row not in own]
    assert db.search("docs", others[0][1], k=1, encoder=words)[0].key in dict(own)
    filtered = db.search("docs", "number 1", k=100, filter=db.table("docs").c.id == others[0][0], encoder=words)
    assert filtered == []


@pytest.mark.parametrize("role", [*TENANTS[:1], WRITER, NOBODY])
def test_nobody_but_workers_reads_the_queue_and_what_workers_go_through(encoded_app: App, role: str) -> None:
    with encoded_app.session(role) as session:
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
        [
            "binary_quantize",
            "_check_active",
            "_comparable",
            "_distance",
            "kernel",
            "_query_dense",
            "_query_sparse",
            "_query_tokens",
            "_rate",
        ],
        PURE,
    ),
    **dict.fromkeys(["maxsim", "maxsim_pairs", "_maxsim_pairs_sql", "_maxsim_sql", "_reject_tokens", "_score"], PURE),
    **dict.fromkeys(["detach", "_read_failed", "_read_status", "use_kernel", "docs_search", "docs_visible"], INVOKER),
    **dict.fromkeys(["_attached_table", "_check_free", "_check_source", "_drop_generation", "_source_key"], INVOKER),
    **dict.fromkeys(["_terms", "_bm25", "_bm25_length", "_choose_terms", "_check_fusion"], PURE),
    **dict.fromkeys(["_source_problem", "_source_warning", "_missing_parts", "docs_rows"], INVOKER),
}


def test_the_functions_that_anyone_may_execute(encoded_app: App) -> None:
    functions = encoded_app.superuser.execute(
        "SELECT proname, bool_or(has_function_privilege('public', oid, 'EXECUTE')), bool_or(prosecdef)"
        " FROM pg_proc WHERE pronamespace = 'pgencoder'::regnamespace GROUP BY proname"
    ).fetchall()
    assert {name for name, public, _ in functions if public} == set(OPEN)
    assert not {name for name, _, definer in functions if definer} & set(OPEN)
    closed = {name for name, public, _ in functions if not public}
    assert closed == {"docs_active", "docs_changed", "docs_read", "docs_scan", "docs_1_write", "docs_1_build"} | {
        "docs_1_count",
        "docs_lexical",
        "docs_sparse",
    }


def test_who_may_call_a_function_without_rights_does_nothing_by_it(encoded_app: App) -> None:
    encoded_app.superuser.execute(f"GRANT USAGE ON SCHEMA pgencoder TO {NOBODY}".encode())
    with encoded_app.session(NOBODY) as session:
        for call in (
            "pgencoder.detach('docs')",
            "pgencoder.use_kernel('sql')",
            "pgencoder._read_status()",
            "pgencoder._read_failed()",
            "pgencoder.docs_active()",
            "pgencoder.docs_visible(1, '')",
            "pgencoder.docs_search('[1]', '{}')",
        ):
            with pytest.raises(InsufficientPrivilege):
                session.execute(f"SELECT * FROM {call}".encode())
    assert len(encoded_app.db(OWNER).collections()) == 1


def test_a_reader_without_the_group_role_needs_what_the_readme_says(encoded_app: App, words: WordEncoder) -> None:
    encoded_app.superuser.execute(
        f"GRANT USAGE ON SCHEMA pgencoder TO {NOBODY}; CREATE POLICY nobody ON docs TO {NOBODY} USING (true);"
        f"GRANT SELECT ON docs, pgencoder.docs_1, pgencoder.docs_passages, pgencoder.collection,"
        " pgencoder.representation, pgencoder.collection_key,"
        f" pgencoder.generation, pgencoder.revision TO {NOBODY}".encode()
    )
    db = encoded_app.db(NOBODY)
    with pytest.raises(MissingRights, match="permission denied for view docs_by_lexical"):
        db.search("docs", "number 1", encoder=words)
    # who may read the passages is granted the rest by each migration
    encoded_app.db(OWNER).migrate()
    assert db.search("docs", "number 1", encoder=words)
    encoded_app.superuser.execute(f"REVOKE EXECUTE ON FUNCTION pgencoder.docs_active() FROM {NOBODY}".encode())
    encoded_app.superuser.execute(f"GRANT EXECUTE ON FUNCTION pgencoder.docs_active() TO {NOBODY}".encode())
    assert db.search("docs", "number 1", encoder=words)
    # and by each activation
    new = WordEncoder(Dims(24, 8), "new words")
    encoded_app.db(OWNER).reencode("docs", new)
    encoded_app.work(words, new)
    encoded_app.db(OWNER).activate("docs")
    encoded_app.superuser.execute(f"GRANT SELECT ON pgencoder.docs_2 TO {NOBODY}".encode())
    assert db.search("docs", "number 1", encoder=new)


def test_what_was_granted_to_all_by_an_older_version_is_revoked(encoded_app: App) -> None:
    encoded_app.superuser.execute("GRANT EXECUTE ON FUNCTION pgencoder.docs_active() TO PUBLIC")
    encoded_app.db(OWNER).migrate()
    assert not value(
        encoded_app.superuser, "SELECT has_function_privilege('public', 'pgencoder.docs_active()', 'EXECUTE')"
    )


def test_a_role_with_nothing_is_told_so(encoded_app: App, words: WordEncoder) -> None:
    db = encoded_app.db(NOBODY)
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
    with encoded_app.session(NOBODY) as session, pytest.raises(InsufficientPrivilege):
        searched(session, words)


def test_a_reader_may_not_encode(encoded_app: App, words: WordEncoder) -> None:
    db = encoded_app.db(TENANTS[0])
    with pytest.raises(MissingRights):
        db.sync("docs", encoder=words)
    with pytest.raises(MissingRights):
        db.retry("docs")
    assert encoded_app.stored() == encoded_app.rows()


def test_a_policy_that_holds_for_the_owner_is_an_error_and_loses_no_passage(
    encoded_app: App, words: WordEncoder
) -> None:
    encoded_app.superuser.execute("ALTER TABLE docs FORCE ROW LEVEL SECURITY")
    with encoded_app.session(OWNER) as owner:
        assert value(owner, "SELECT count(*) FROM docs") == 0
    with encoded_app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id < 4")
    before = encoded_app.stored()
    for role in (OWNER, ENCODING):
        with pytest.raises(MissingRights, match="row-level security policy for table") as raised:
            encoded_app.db(role).sync("docs", encoder=words)
        assert "\n" not in str(raised.value)
    worker = encoded_app.db(ENCODING).worker(encoders=[words])
    worker.run_once()
    assert list(worker.generations.problems) == ["docs_1"]
    assert "row-level security" in worker.generations.problems["docs_1"]
    assert encoded_app.stored() == before
    # nothing was lost and nothing is held: it goes on where it was
    state = encoded_app.superuser.execute("SELECT id, attempts, claimed_until FROM pgencoder.docs_1_queue ORDER BY id")
    assert state.fetchall() == [(i, 0, None) for i in (1, 2, 3)]
    encoded_app.superuser.execute("ALTER TABLE docs NO FORCE ROW LEVEL SECURITY")
    encoded_app.work(words)
    assert encoded_app.stored() == encoded_app.rows()


def test_a_truncate_under_a_policy_for_the_owner_loses_no_passage_either(encoded_app: App, words: WordEncoder) -> None:
    before = encoded_app.stored()
    # as a TRUNCATE of a child leaves it: every key is looked up again
    encoded_app.superuser.execute("INSERT INTO pgencoder.late (collection) VALUES ('docs')")
    encoded_app.superuser.execute("ALTER TABLE docs FORCE ROW LEVEL SECURITY")
    encoded_app.work(words)
    assert encoded_app.stored() == before


def test_rights_come_with_collections_and_generations_of_later(encoded_app: App, words: WordEncoder) -> None:
    new = WordEncoder(Dims(24, 8), "new words")
    owner = encoded_app.db(OWNER)
    owner.attach("docs", ["body", "tenant"], words, name="later", tokens="halfvec")
    owner.reencode("docs", new)
    encoded_app.work(words, new)
    assert encoded_app.stored("docs_2") == encoded_app.rows()
    assert len(encoded_app.stored("later_1")) == DOCS
    assert value(encoded_app.superuser, "SELECT to_regclass('pgencoder.docs_2_dense') IS NOT NULL") is True
    assert owner.activate("docs").number == 2
    for tenant in TENANTS:
        own = {key for key, _ in of_tenant(encoded_app.rows(), tenant)}
        db = encoded_app.db(tenant)
        assert {hit.key for hit in db.search("docs", "number", k=100, encoder=new)} == own
        assert {hit.key for hit in db.search("later", "number", k=100, encoder=words)} == own
        with encoded_app.session(tenant) as session:
            assert searched(session, new) == own
            with pytest.raises(InsufficientPrivilege):
                session.execute("SELECT * FROM pgencoder.docs_2_queue")
            with pytest.raises(InsufficientPrivilege):
                session.execute("SELECT * FROM pgencoder.later_1_write")
    assert owner.drop("docs").number == 1
    owner.detach("later")


def test_migrating_again_keeps_the_rights(encoded_app: App, words: WordEncoder) -> None:
    before = sorted(encoded_app.superuser.execute(RIGHTS).fetchall())
    assert any("pgencoder_worker=" in (rights or "") for _, rights in before)
    encoded_app.db(OWNER).migrate()
    assert sorted(encoded_app.superuser.execute(RIGHTS).fetchall()) == before
    # also by a member of the owner, for whom everything still belongs to its owner
    encoded_app.db(MEMBER).migrate()
    assert sorted(encoded_app.superuser.execute(RIGHTS).fetchall()) == before
    with encoded_app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    encoded_app.work(words)
    assert encoded_app.stored() == encoded_app.rows()


def test_a_generation_that_a_member_begins_stops_no_writer(encoded_app: App, words: WordEncoder) -> None:
    new = WordEncoder(name="new words")
    encoded_app.db(MEMBER).reencode("docs", new)
    # the trigger runs as its owner, which must be able to queue for the new generation
    with encoded_app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    encoded_app.work(words, new)
    assert encoded_app.stored("docs_2") == encoded_app.stored("docs_1") == encoded_app.rows()
    encoded_app.db(OWNER).activate("docs")
    encoded_app.db(OWNER).drop("docs")
    encoded_app.db(OWNER).detach("docs")


def test_an_upgrade_by_a_member_stops_no_writer(attached_app: App, words: WordEncoder) -> None:
    attached_app.superuser.execute("DROP FUNCTION pgencoder.docs_active, pgencoder.docs_search")
    attached_app.db(MEMBER).migrate()
    with attached_app.session(WRITER) as writer:
        writer.execute("UPDATE docs SET body = 'changed' WHERE id = 1")
    attached_app.work(words)
    assert attached_app.stored() == attached_app.rows()
    # and the owner may still do it
    attached_app.db(OWNER).migrate()


def test_a_superuser_attaches_nothing_where_the_schema_is_anothers(app: App, words: WordEncoder) -> None:
    with pytest.raises(MissingRights, match=f'belongs to "{OWNER}", .* connect as "{OWNER}"'):
        app.db(app.superuser.info.user).attach("docs", ["body"], words)


def test_a_passage_older_than_its_row_is_nobody_elses(encoded_app: App, words: WordEncoder) -> None:
    ann, ben = TENANTS
    (key, content) = of_tenant(encoded_app.rows(), ann)[0]
    encoded_app.superuser.execute("DELETE FROM docs WHERE id = %s", [key])
    encoded_app.superuser.execute("INSERT INTO docs VALUES (%s, %s, 'of another')", [key, ben])
    shown = "SELECT content FROM pgencoder.docs_1 WHERE id = %s"
    with encoded_app.session(ben) as session:
        # the row is ben's now, the passage is still of what ann's held
        assert encoded_app.superuser.execute(shown, [key]).fetchall() == [(content,)]
        assert session.execute(shown, [key]).fetchall() == []
        assert key not in searched(session, words, content)
        encoded_app.work(words)
        assert session.execute(shown, [key]).fetchall() == [("of another",)]
    encoded_app.superuser.execute("UPDATE docs SET tenant = %s WHERE id = %s", [ann, key])
    with encoded_app.session(ann) as session:
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
