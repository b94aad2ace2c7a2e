"""Operations in real Alembic environments: attach, detach and reencode, up and down."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from pgencoder import Database, Dims
from pgencoder.errors import (
    CollectionExists,
    GenerationIncomplete,
    InvalidRequest,
    InvalidSource,
    MissingRights,
    NotMigrated,
    UnknownCollection,
)
from tests.adapters.migrations import ATTACH, DETACH, TABLE, Project, definitions, objects, psql
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.passages import check


def test_attach_and_detach(alembic_project: Project, connection: Connection, db: Database, words: WordEncoder) -> None:
    before = objects(connection)
    alembic_project.revision(TABLE, 'op.drop_table("articles")')
    alembic_project.revision(ATTACH, DETACH)
    alembic_project.upgrade()
    assert db.status()[0].queued == 0, "that is left to workers"
    db.sync("articles", encoder=words)
    assert check(connection, db, "articles", words) == 5
    assert db.search("articles", "title 3", k=1, encoder=words)[0].key == 3
    connection.execute("DELETE FROM articles WHERE id = 3")
    db.sync("articles", encoder=words)
    assert check(connection, db, "articles", words) == 4
    alembic_project.downgrade("r1")
    assert db.collections() == []
    alembic_project.downgrade("base")
    alembic_project.upgrade()
    alembic_project.downgrade("base")
    connection.execute("DROP TABLE alembic_version")
    assert objects(connection) == before


def test_the_same_objects_as_from_python(
    alembic_project: Project, connection: Connection, db: Database, words: WordEncoder
) -> None:
    alembic_project.revision(TABLE)
    alembic_project.upgrade()
    db.attach("articles", ["title", "body"], words)
    connection.execute("UPDATE pgencoder.generation SET queued_at = NULL, queued_to = NULL")
    expected = definitions(connection)
    db.detach("articles")
    alembic_project.revision(ATTACH)
    alembic_project.upgrade()
    assert definitions(connection) == expected


def test_a_migration_that_fails_leaves_nothing(alembic_project: Project, connection: Connection) -> None:
    before = objects(connection)
    alembic_project.revision(TABLE + ATTACH + '\nop.execute("SELECT 1 / 0")')
    with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
        alembic_project.upgrade()
    assert objects(connection) == before


def test_settings_of_the_transaction_stay(alembic_project: Project, connection: Connection, db: Database) -> None:
    alembic_project.revision(
        "op.execute('CREATE SCHEMA blog')\nop.execute(\"SET LOCAL search_path = blog, public\")\n"
        + TABLE + ATTACH + '\nop.reencode("articles", SECOND)\nop.reencode("articles", WORDS)'
        "\nop.execute('CREATE TABLE after (id int)')\n"
        "op.execute(\"INSERT INTO articles VALUES (7, 'seven', current_setting('lock_timeout') || current_user)\")"
    )  # fmt: skip
    alembic_project.upgrade()
    assert value(connection, "SELECT to_regclass('blog.after') IS NOT NULL") is True
    assert value(connection, "SELECT body = '0' || current_user FROM blog.articles WHERE id = 7") is True
    assert [(each.source_schema, len(each.generations)) for each in db.collections()] == [("blog", 1)]


def test_reencode_and_back(alembic_project: Project, connection: Connection, db: Database, words: WordEncoder) -> None:
    second = WordEncoder(Dims(16, 8), "second")
    alembic_project.revision(TABLE + ATTACH)
    alembic_project.revision('op.reencode("articles", SECOND)', 'op.reencode("articles", WORDS)')
    alembic_project.revision('op.reencode("articles", THIRD, tokens="halfvec")', 'op.reencode("articles", SECOND)')
    alembic_project.upgrade("r1")
    db.sync("articles", encoder=words)

    def states() -> dict[int, str]:
        return {each.number: each.state for each in db.collection("articles").generations}

    alembic_project.upgrade("r2")
    assert states() == {1: "active", 2: "building"}
    alembic_project.downgrade("r1")
    assert states() == {1: "active"}
    connection.execute("UPDATE articles SET body = 'the queue of the dropped one is not missed' WHERE id = 1")
    alembic_project.upgrade("head")
    assert states() == {1: "active", 3: "building"}, "what was building with another encoder is removed"
    alembic_project.downgrade("r2")
    assert states() == {1: "active", 4: "building"}
    db.sync("articles", encoder=words)
    db.sync("articles", encoder=second)
    db.activate("articles")
    assert check(connection, db, "articles", second) == 5
    connection.execute("UPDATE articles SET body = 'changed' WHERE id = 2")
    db.sync("articles", encoder=second)
    with pytest.raises(GenerationIncomplete, match="generation 1 of 'articles' is not complete"):
        alembic_project.downgrade("r1")
    db.sync("articles", encoder=words)
    alembic_project.downgrade("r1")
    assert states() == {1: "active", 4: "retired"}
    assert check(connection, db, "articles", words) == 5
    alembic_project.upgrade("r2")
    assert states() == {1: "retired", 4: "active"}
    connection.execute("INSERT INTO articles VALUES (9, 'nine', 'nine')")
    db.sync("articles", encoder=second)
    assert check(connection, db, "articles", second) == 6


def test_nothing_is_missed_of_what_is_written_meanwhile(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder, url: str
) -> None:
    second = WordEncoder(Dims(16, 8), "second")
    psycopg_project.revision(TABLE)
    psycopg_project.revision(ATTACH)
    psycopg_project.revision('op.reencode("articles", THIRD)')
    psycopg_project.revision('op.reencode("articles", SECOND)')
    psycopg_project.upgrade("r1")
    done = threading.Event()

    def write(first: int) -> int:
        with psycopg.connect(url, autocommit=True) as writer:
            for number in itertools.count(first, 2):
                writer.execute("INSERT INTO articles VALUES (%s, 'title', 'written')", [number])
                writer.execute("UPDATE articles SET body = %s WHERE id = %s", [f"changed {number}", number - 4])
                if done.is_set():
                    return number
        raise AssertionError

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, first) for first in (10, 11)]
        try:
            for revision in ("r2", "r3", "r4"):
                time.sleep(0.2)
                psycopg_project.upgrade(revision)
            time.sleep(0.2)
        finally:
            done.set()
        assert all(writer.result() > 20 for writer in writers)
    for encoder in (words, second):
        db.sync("articles", encoder=encoder)
    written = value(connection, "SELECT count(*) FROM articles")
    assert check(connection, db, "articles", words) == written
    db.activate("articles")
    assert check(connection, db, "articles", second) == written


def test_what_is_wrong_is_said(
    psycopg_project: Project, connection: Connection, db: Database, words: WordEncoder
) -> None:
    connection.execute("CREATE TABLE there (id int PRIMARY KEY, body text)")
    db.attach("there", ["body"], words)
    for upgrade, error, message in [
        ('op.attach_encoding("nowhere", ["body"], WORDS)', InvalidSource, "no table 'nowhere'"),
        ('op.attach_encoding("there", ["title"], WORDS)', InvalidSource, "has no column 'title'"),
        ('op.attach_encoding("there", ["body"], WORDS)', CollectionExists, "already a collection 'there'"),
        ('op.detach_encoding("nothing")', UnknownCollection, "no collection 'nothing'; there are: there"),
        ('op.reencode("nothing", WORDS)', UnknownCollection, "no collection 'nothing'"),
        ('op.reencode("there", WORDS, tokens="byte")', InvalidRequest, "tokens must be one of bit"),
        (
            'op.attach_encoding("there", ["body"], pgencoder.alembic.declared("x"))',
            InvalidRequest,
            "no class in target_metadata declares an encoder object for 'x'",
        ),
        (
            'with op.get_context().autocommit_block():\n    op.detach_encoding("there")',
            InvalidRequest,
            r"take this out of autocommit_block\(\)",
        ),
    ]:
        (psycopg_project.versions / "r1.py").unlink(missing_ok=True)
        psycopg_project.count = 0
        psycopg_project.revision(upgrade)
        with pytest.raises(error, match=message):
            psycopg_project.upgrade()


def test_missing_rights_are_said(
    alembic_project: Project, connection: Connection, request: pytest.FixtureRequest
) -> None:
    connection.execute("CREATE ROLE poor; GRANT USAGE ON SCHEMA pgencoder TO poor")
    connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA pgencoder TO poor")
    request.addfinalizer(lambda: connection.execute("DROP OWNED BY poor; DROP ROLE poor"))
    alembic_project.revision(TABLE + 'op.execute("SET LOCAL ROLE poor")\n' + ATTACH)
    with pytest.raises(MissingRights, match="permission denied for table collection; ask the owner"):
        alembic_project.upgrade()


def test_an_unmigrated_database(tmp_path: Path, empty_url: str) -> None:
    project = Project(tmp_path / "migrations", empty_url)
    project.revision(TABLE + ATTACH)
    with pytest.raises(NotMigrated, match="has no pgencoder schema; run: pgencoder migrate"):
        project.upgrade()


def test_dense_vectors_only(psycopg_project: Project, connection: Connection, db: Database, url: str) -> None:
    encoder = 'pgencoder.DenseEncoder(lambda texts: [[1, len(text)] for text in texts], name="{}", dims=2)'
    key = 'tokens="none", chunking="default", table="articles", columns=["title"], key={"id": "bigint"}'
    psycopg_project.revision(TABLE)
    psycopg_project.revision(
        f'op.attach_encoding("articles", ["title"], {encoder.format("one")}, key={{"id": "bigint"}})\n'
        f'op.reencode("articles", {encoder.format("two")}, {key})'
    )
    psycopg_project.upgrade()
    online = definitions(connection)
    assert [each.token_type for each in db.collection("articles").generations] == ["none", "none"]
    db.detach("articles")
    psycopg_project.script(revisions="r1:r2")
    connection.execute("UPDATE alembic_version SET version_num = 'r1'")
    psql(url, psycopg_project.output)
    assert definitions(connection) == online
