"""Types, casts and policies of a table's owner run as nobody but the owner, whoever attaches, encodes and searches."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege, ObjectNotInPrerequisiteState

from pgencoder.errors import InvalidSource, MissingRights
from tests.application import DOCS, ENCODING, OWNER, TENANTS, WRITER, App, of_tenant, searched
from tests.connections import value
from tests.encoder import WordEncoder

KEEPER, MAKER, READER = OWNER, "t_maker", TENANTS[0]

# a role that owns a table, of which the owner of the schema is a member; what runs says as whom
MAKES = f"""
CREATE ROLE {MAKER} LOGIN;
GRANT {MAKER} TO {KEEPER};
CREATE SCHEMA t AUTHORIZATION {MAKER};
GRANT USAGE ON SCHEMA t TO PUBLIC;
"""
LOOT = """
CREATE TABLE t.loot (who text, what text); GRANT INSERT ON t.loot TO PUBLIC;
CREATE FUNCTION t.take(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    BEGIN INSERT INTO t.loot VALUES (current_user, what); EXCEPTION WHEN OTHERS THEN NULL; END;
END $$;
CREATE FUNCTION t.checked(given text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    PERFORM t.take('check'); RETURN true; END $$;
CREATE TYPE t.mood AS ENUM ('low', 'high');
CREATE DOMAIN t.word AS text CHECK (t.checked(VALUE));
CREATE DOMAIN t.words AS t.word;
"""
CASTS = """
CREATE FUNCTION t.mood_text(given t.mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    PERFORM t.take('to text'); RETURN enum_out(given); END $$;
CREATE FUNCTION t.text_mood(given text) RETURNS t.mood LANGUAGE plpgsql AS $$ BEGIN
    PERFORM t.take('from text'); RETURN CASE given WHEN 'low' THEN 'low'::t.mood ELSE 'high'::t.mood END; END $$;
CREATE FUNCTION t.texts_moods(given text[]) RETURNS t.mood[] LANGUAGE plpgsql AS $$ BEGIN
    PERFORM t.take('from texts'); RETURN ARRAY['low', 'high']::t.mood[]; END $$;
CREATE CAST (t.mood AS text) WITH FUNCTION t.mood_text(t.mood);
CREATE CAST (text AS t.mood) WITH FUNCTION t.text_mood(text) AS ASSIGNMENT;
CREATE CAST (text[] AS t.mood[]) WITH FUNCTION t.texts_moods(text[]) AS ASSIGNMENT;
"""
EVIL = """
CREATE TYPE t.evil AS (x text);
CREATE FUNCTION t.evil_text(given t.evil) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    PERFORM t.take('content'); RETURN (given).x; END $$;
CREATE CAST (t.evil AS text) WITH FUNCTION t.evil_text(t.evil) AS IMPLICIT;
"""


@pytest.fixture
def made(app: App) -> Iterator[App]:
    """A schema of a role whose tables the owner of pgencoder may attach."""
    app.superuser.execute(MAKES.encode())
    try:
        with app.session(MAKER) as maker:
            maker.execute(LOOT.encode())
        yield app
    finally:
        for db in app.opened:
            db.close()
        app.superuser.execute(f"DROP OWNED BY {MAKER} CASCADE; DROP ROLE {MAKER}".encode())


def use(app: App, words: WordEncoder, key: Any) -> None:
    """Do all that a collection is for, as each role that does it."""
    app.work(words)
    reader = app.db(READER)
    hits = reader.search("things", "alpha", k=2, encoder=words)
    assert hits[0].content == "alpha"
    reader.explain("things", "alpha", key, encoder=words)
    reader.context("things", "alpha", encoder=words)
    list(reader.similar_pairs("things", 0.1))
    with app.session(READER) as session:
        session.execute("SELECT * FROM pgencoder.things_1")
        session.execute("SELECT * FROM pgencoder.things_passages")
    worker = app.db(ENCODING)
    assert worker.reconcile("things").queued == 0
    worker.status()
    with app.session(MAKER) as maker:
        maker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t.things")
        app.superuser.execute("UPDATE t.things SET body = 'gamma' WHERE body = 'beta'")
        app.superuser.execute("UPDATE pgencoder.things_1_queue SET attempts = 1")
        maker.execute("UPDATE t.things SET body = 'delta' WHERE body = 'alpha'; COMMIT; TRUNCATE t.things")
    app.work(words)
    app.db(KEEPER).migrate()
    assert app.superuser.execute("SELECT * FROM pgencoder.things_1").fetchall() == []


def looters(app: App) -> set[Any]:
    return {who for (who,) in app.superuser.execute("SELECT who FROM t.loot")}


@pytest.mark.parametrize("type_", ["t.word", "t.words", "t.mood"])
def test_code_of_a_keys_type_runs_as_nobody_else(made: App, words: WordEncoder, type_: str) -> None:
    with made.session(MAKER) as maker:
        maker.execute(
            f"CREATE TABLE t.things (id {type_} PRIMARY KEY, body text);"
            f"INSERT INTO t.things VALUES ('low', 'alpha'), ('high', 'beta');"
            f"GRANT SELECT ON t.things TO {READER}".encode()
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made.db(KEEPER).attach("things", ["body"], words, schema="t")
        maker.execute(CASTS)  # after it was attached, when nobody looks
        maker.execute("DELETE FROM t.loot")
    use(made, words, "low")
    assert looters(made) <= {MAKER}


def test_code_of_a_columns_type_runs_as_its_owner(made: App, words: WordEncoder) -> None:
    with made.session(MAKER) as maker:
        maker.execute(EVIL)
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text); INSERT INTO t.things VALUES (1, 'alpha')")
        maker.execute(f"GRANT SELECT ON t.things TO {READER}".encode())
        made.db(KEEPER).attach("things", ["body"], words, schema="t")
        made.work(words)
        maker.execute("ALTER TABLE t.things ALTER body TYPE t.evil USING row(body)::t.evil")
        maker.execute("UPDATE t.things SET body = row('beta')::t.evil; INSERT INTO t.things VALUES (2, row('gamma'))")
    made.work(words)
    made.db(READER).context("things", "beta", encoder=words)
    made.db(KEEPER).reconcile("things")
    made.db(KEEPER).migrate()
    assert looters(made) <= {MAKER}
    # as their output is, not as a function of someone says
    assert made.superuser.execute("SELECT content FROM pgencoder.things_1 ORDER BY id").fetchall() == [
        ("(beta)",), ("(gamma)",),
    ]  # fmt: skip


def test_a_migration_that_may_not_become_the_owner_names_the_ways_out(made: App, words: WordEncoder) -> None:
    with made.session(MAKER) as maker:
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text)")
    made.db(KEEPER).attach("things", ["body"], words, schema="t")
    # as when a dump was restored by a role that may not give functions away
    made.superuser.execute(
        f"ALTER FUNCTION pgencoder.things_changed OWNER TO {KEEPER}; REVOKE {MAKER} FROM {KEEPER}".encode()
    )
    ways = rf'GRANT {MAKER} TO {KEEPER}; or: ALTER TABLE "t"\."things" OWNER TO {KEEPER}'
    with pytest.warns(UserWarning, match=f"{ways}; or: pgencoder detach things"):
        made.db(KEEPER).migrate()
    with pytest.raises(MissingRights, match=ways):
        made.db(KEEPER).repair("things")


def test_what_reads_a_table_belongs_to_its_owner_and_nothing_else_does(made: App, words: WordEncoder) -> None:
    owners = (
        "SELECT p.proname::text, p.proowner::regrole::text FROM pg_proc p"
        " WHERE proname ~ '^things_' AND prosecdef ORDER BY 1"
    )
    with made.session(MAKER) as maker:
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text); INSERT INTO t.things VALUES (1, 'alpha')")
    keeper = made.db(KEEPER)
    keeper.attach("things", ["body"], words, schema="t")
    expected = [
        ("things_1_build", KEEPER), ("things_1_count", KEEPER), ("things_1_write", KEEPER),
        ("things_changed", MAKER), ("things_lexical", KEEPER), ("things_read", MAKER), ("things_scan", MAKER),
        ("things_sparse", KEEPER),
    ]  # fmt: skip
    assert made.superuser.execute(owners).fetchall() == expected
    keeper.migrate()
    keeper.repair("things")
    keeper.sync("things")
    keeper.reencode("things", WordEncoder(name="next"))
    keeper.sync("things")
    keeper.activate("things")
    keeper.drop("things")
    renumbered = [(name.replace("_1_", "_2_"), owner) for name, owner in expected]
    assert made.superuser.execute(owners).fetchall() == renumbered
    # the owner of the table may make nothing in our schema
    with made.session(MAKER) as maker:
        assert not value(maker, "SELECT has_schema_privilege('pgencoder', 'CREATE')")
        for statement in (
            "CREATE FUNCTION pgencoder.maxsim() RETURNS int RETURN 1",
            "SELECT * FROM pgencoder.things_2",
            "DELETE FROM pgencoder.things_2",
            "SELECT * FROM pgencoder.docs_1",
        ):
            with pytest.raises(Exception, match=r"permission denied|does not exist"):
                maker.execute(statement.encode())
        maker.execute("INSERT INTO t.things VALUES (2, 'beta')")
    keeper.sync("things")
    assert value(made.superuser, "SELECT count(*) FROM pgencoder.things_2") == 2
    # the table gets another owner
    made.superuser.execute(f"ALTER TABLE t.things OWNER TO {KEEPER}; GRANT USAGE ON SCHEMA t TO {KEEPER}")
    assert f"its functions run as {MAKER}" in (keeper.status()[0].problem or "")
    keeper.repair("things")
    assert made.superuser.execute(owners).fetchall() == [(name, KEEPER) for name, _ in renumbered]
    keeper.detach("things")


@pytest.mark.parametrize(
    ("type_", "key"),
    [("t.evil", "row('a')"), ("t.span", "'[1,2]'"), ("t.mood[]", "'{low}'"), ("t.word[]", "'{low}'")],
)
def test_types_that_run_code_cannot_be_keys(made: App, words: WordEncoder, type_: str, key: str) -> None:
    with made.session(MAKER) as maker:
        maker.execute(EVIL)
        maker.execute("CREATE TYPE t.span AS RANGE (subtype = int4)")
        maker.execute(f"CREATE TABLE t.things (id {type_} PRIMARY KEY, body text)".encode())
        maker.execute(f"INSERT INTO t.things VALUES ({key}, 'alpha')".encode())
    with pytest.raises(InvalidSource, match="'id' is of type") as raised:
        made.db(KEEPER).attach("things", ["body"], words, schema="t")
    assert "\n" not in str(raised.value)
    assert looters(made) <= {MAKER}


def test_a_superusers_table_is_not_for_others_and_theirs_not_for_a_superuser(app: App, words: WordEncoder) -> None:
    app.superuser.execute(f"GRANT {app.superuser.info.user} TO {KEEPER}".encode())
    app.superuser.execute("CREATE TABLE mine (id int PRIMARY KEY, body text)")
    try:
        with pytest.raises(MissingRights, match="only one of them is a superuser") as raised:
            app.db(KEEPER).attach("mine", ["body"], words)
        assert "\n" not in str(raised.value)
    finally:
        app.superuser.execute(f"REVOKE {app.superuser.info.user} FROM {KEEPER}; DROP TABLE mine".encode())


SWAPS = {
    "renamed": (
        "ALTER TABLE docs RENAME TO before; CREATE TABLE docs (LIKE before INCLUDING ALL);"
        "INSERT INTO docs SELECT id, tenant, 'private of ' || tenant FROM before"
    ),
    "made again": (
        "CREATE TABLE kept AS TABLE docs; DROP TABLE docs CASCADE; CREATE TABLE docs (LIKE kept);"
        "ALTER TABLE docs ADD PRIMARY KEY (id); INSERT INTO docs SELECT id, tenant, 'private of ' || tenant FROM kept"
    ),
}


@pytest.mark.parametrize("first_open", [True, False])
@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS.keys())
def test_a_table_that_is_swapped_shows_nothing_to_anybody(
    encoded_app: App, words: WordEncoder, swap: str, first_open: bool
) -> None:
    if first_open:
        encoded_app.superuser.execute("ALTER TABLE docs DISABLE ROW LEVEL SECURITY")
    with encoded_app.session(OWNER) as owner:
        owner.execute(swap.encode())
        owner.execute(
            "ALTER TABLE docs ENABLE ROW LEVEL SECURITY; CREATE POLICY tenant ON docs USING (tenant = current_user);"
            f"GRANT SELECT ON docs TO {', '.join(TENANTS)}".encode()
        )
    encoded_app.work(words)
    for tenant in TENANTS:
        with encoded_app.session(tenant) as session:
            assert session.execute("SELECT * FROM pgencoder.docs_1").fetchall() == []
            assert session.execute("SELECT * FROM pgencoder.docs_passages").fetchall() == []
            with pytest.raises(Exception, match="not the one"):
                searched(session, words)
        with pytest.raises(InvalidSource, match="pgencoder repair docs"):
            encoded_app.db(tenant).search("docs", "private", encoder=words)
    encoded_app.db(OWNER).repair("docs")
    for when in ("before", "after"):
        for tenant in TENANTS:
            own = [row for row in encoded_app.rows() if TENANTS[row[0] % 2] == tenant] if when == "after" else []
            with encoded_app.session(tenant) as session:
                shown = session.execute("SELECT id, content FROM pgencoder.docs_1 ORDER BY id").fetchall()
            assert shown == own
            assert {hit.key for hit in encoded_app.db(tenant).search("docs", "private", k=50, encoder=words)} == dict(
                own
            ).keys()
        encoded_app.work(words)


def test_a_passage_without_the_hash_of_its_row_is_for_nobody_with_a_policy(
    encoded_app: App, words: WordEncoder
) -> None:
    encoded_app.superuser.execute("UPDATE pgencoder.docs_1 SET row_hash = NULL WHERE id <= 2")
    for tenant in TENANTS:
        own = {key for key, _ in of_tenant(encoded_app.rows(), tenant)} - {1, 2}
        with encoded_app.session(tenant) as session:
            assert {key for (key,) in session.execute("SELECT id FROM pgencoder.docs_1")} == own
            assert searched(session, words) == own
    assert len(encoded_app.db(OWNER).search("docs", "number", k=50, encoder=words)) == DOCS
    encoded_app.db(OWNER).reconcile("docs")
    encoded_app.work(words)
    with encoded_app.session(TENANTS[0]) as session:
        assert searched(session, words) == {key for key, _ in of_tenant(encoded_app.rows(), TENANTS[0])}


@pytest.mark.parametrize("language", ["sql", "plpgsql"])
def test_a_policy_may_call_functions_by_their_plain_names(encoded_app: App, words: WordEncoder, language: str) -> None:
    body = "SELECT helper_role() = $1" if language == "sql" else "BEGIN RETURN helper_role() = $1; END"
    with encoded_app.session(OWNER) as owner:
        owner.execute(
            "CREATE FUNCTION helper_role() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';"
            f"CREATE FUNCTION may_see(text) RETURNS boolean LANGUAGE {language} STABLE AS '{body}';"
            "ALTER POLICY tenant ON docs USING (may_see(tenant))".encode()
        )
    # the path of the search function has the schema of the table where only those may create whom everybody must trust
    encoded_app.superuser.execute(f"REVOKE CREATE ON SCHEMA public FROM {OWNER}".encode())
    encoded_app.db(OWNER).migrate()
    for tenant in TENANTS:
        own = {key for key, _ in of_tenant(encoded_app.rows(), tenant)}
        with encoded_app.session(tenant) as session:
            assert {key for (key,) in session.execute("SELECT id FROM pgencoder.docs_1")} == own
            assert searched(session, words) == own
        for stage in ("dense", "maxsim", "exhaustive"):
            hits = encoded_app.db(tenant).search("docs", "number", k=50, stage=stage, encoder=words)
            assert {hit.key for hit in hits} == own


def test_a_reader_needs_the_source_as_before(encoded_app: App) -> None:
    with encoded_app.session(WRITER) as session, pytest.raises(InsufficientPrivilege):
        session.execute("SELECT * FROM pgencoder.docs_1")
    encoded_app.superuser.execute(f"REVOKE SELECT ON docs FROM {READER}".encode())
    with encoded_app.session(READER) as session, pytest.raises(InsufficientPrivilege, match="table docs"):
        session.execute("SELECT * FROM pgencoder.docs_1")


def test_the_owner_of_a_table_runs_nothing_as_the_worker_that_reads_it(made: App, words: WordEncoder) -> None:
    with made.session(MAKER) as maker:
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text); INSERT INTO t.things VALUES (1, 'alpha')")
        made.db(KEEPER).attach("things", ["body"], words, schema="t")
        maker.execute(
            "ALTER FUNCTION pgencoder.things_read(text[], bigint) SECURITY INVOKER SET row_security = on;"
            "ALTER FUNCTION pgencoder.things_scan(text[], int, boolean) SECURITY INVOKER SET row_security = on;"
            "ALTER TABLE t.things ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t.things TO PUBLIC;"
            "CREATE POLICY p ON t.things USING (t.checked(body))"
        )
    with made.session(ENCODING) as worker:
        for call in ("things_read(ARRAY['1'], 1000)", "things_scan(NULL, 10, true)"):
            with pytest.raises(ObjectNotInPrerequisiteState, match=f"runs as {ENCODING}, who does not own it"):
                worker.execute(f"SELECT * FROM pgencoder.{call}".encode())
    assert looters(made) <= {MAKER}
    made.db(KEEPER).repair("things")
    made.work(words)
    assert made.stored("things_1") == [(1, "alpha")]


def test_the_status_runs_nothing_of_a_tables_owner(made: App, words: WordEncoder) -> None:
    with made.session(MAKER) as maker:
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text); INSERT INTO t.things VALUES (1, 'alpha')")
        maker.execute("GRANT SELECT ON t.things TO PUBLIC")
        made.db(KEEPER).attach("things", ["body"], words, schema="t")
        assert [made.db(role).status()[0].source_rows for role in (KEEPER, ENCODING)] == [1, 1]
        maker.execute(
            "ALTER TABLE t.things ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
            "CREATE POLICY p ON t.things USING (t.checked(body))"
        )
        assert [made.db(role).status()[0].source_rows for role in (KEEPER, ENCODING)] == [None, None]
        maker.execute(
            "DROP TABLE t.things CASCADE; CREATE VIEW t.things AS SELECT 1 AS id, 'alpha' AS body WHERE t.checked('x');"
            "GRANT SELECT ON t.things TO PUBLIC"
        )
        assert [made.db(role).status()[0].source_rows for role in (KEEPER, ENCODING)] == [None, None]
    made.superuser.execute("SELECT * FROM pgencoder.status")
    assert looters(made) == set()


def test_late_changes_are_of_ones_own_table_and_of_its_keys(
    made: App, words: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    made.db(KEEPER).attach("docs", ["body"], words)
    with made.session(MAKER) as maker:
        maker.execute("CREATE TABLE t.things (id int PRIMARY KEY, body text); INSERT INTO t.things VALUES (1, 'alpha')")
        made.db(KEEPER).attach("things", ["body"], words, schema="t")
        made.work(words)
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            maker.execute("INSERT INTO pgencoder.late (collection, key) VALUES ('docs', ARRAY['notanumber'])")
        maker.execute(
            "INSERT INTO pgencoder.late (collection, key) SELECT 'things', key::text[] FROM unnest("
            "ARRAY['{notanumber}', '{1}', '{NULL}', '{}', '{1,2}', '{{1},{2}}']) AS key"
        )
    made.work(words)
    assert made.stored("things_1") == [(1, "alpha")]
    assert "dropped 5 late changes" in caplog.text
    assert value(made.superuser, "SELECT count(*) FROM pgencoder.late") == 0
