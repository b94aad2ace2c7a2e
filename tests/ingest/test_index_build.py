"""The HNSW index is built whatever timeouts and memory there are; where it cannot be, that is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psycopg
import pytest

import pgencoder
from pgencoder import Database, SyncReport, WorkerOptions
from pgencoder.errors import GenerationIncomplete
from pgencoder.ingest import index
from tests.connections import Connection, value
from tests.encoder import WordEncoder
from tests.workers import running, until

ROOT = Path(__file__).parents[2]

# what the server does before each CREATE INDEX of this database; a sequence counts, whatever is rolled back
WATCHED = """
CREATE SEQUENCE attempts;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('public.attempts');
    {body};
END $$;
CREATE EVENT TRIGGER watch ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION watch();
"""
ATTEMPTS = "SELECT last_value FROM attempts WHERE is_called"
RAISE = "RAISE EXCEPTION 'no luck today' USING ERRCODE = '{}'"
WAITS = "SELECT index_failures, extract(epoch FROM index_retry_at - now())::float FROM pgencoder.generation"


@pytest.fixture
def attached(connection: Connection, db: Database, words: WordEncoder) -> Connection:
    """A collection of a hundred rows without an index, in a database whose builds are shared by two processes."""
    connection.execute(f"ALTER DATABASE {connection.info.dbname} SET max_parallel_maintenance_workers = 2".encode())
    connection.execute("CREATE TABLE articles (id int PRIMARY KEY, body text)")
    connection.execute("INSERT INTO articles SELECT i, 'number ' || i FROM generate_series(1, 100) AS i")
    db.attach("articles", ["body"], words, lexical="none")
    return connection


def watch(connection: Connection, body: str) -> None:
    connection.execute(WATCHED.replace("{body}", body).encode())


def attempts(connection: Connection) -> int:
    row = connection.execute(ATTEMPTS).fetchone()
    return 0 if row is None else int(row[0])


@pytest.mark.parametrize("timeout", ["statement_timeout", "transaction_timeout"])
def test_no_timeout_cuts_a_build_short(
    attached: Connection, url: str, db: Database, words: WordEncoder, timeout: str
) -> None:
    if not value(attached, f"SELECT count(*) FROM pg_settings WHERE name = '{timeout}'"):
        pytest.skip(f"this server has no {timeout}")
    watch(attached, "PERFORM pg_sleep(1.2)")
    attached.execute(f"ALTER DATABASE {attached.info.dbname} SET {timeout} = '600ms'".encode())
    with pgencoder.connect(url) as other:
        report = other.sync("articles", encoder=words)
    assert (report.index_built, report.index_error) == (True, None)
    assert attempts(attached) == 1


def test_a_short_lock_timeout_does_not_end_the_wait_for_a_writer(
    attached: Connection, url: str, words: WordEncoder
) -> None:
    attached.execute(f"ALTER DATABASE {attached.info.dbname} SET lock_timeout = '100ms'".encode())
    long = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND now() - state_change > '300ms'"
    reports: list[SyncReport] = []
    with pgencoder.connect(url) as other, psycopg.connect(url) as writer:
        writer.execute("LOCK TABLE pgencoder.articles_1 IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: reports.append(other.sync("articles", encoder=words)))
        thread.start()
        until(lambda: reports or value(attached, long))
        writer.commit()
        thread.join()
    assert reports[0].index_built


def test_where_shared_memory_has_no_room_one_process_builds(
    attached: Connection, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    alone = "current_setting('max_parallel_maintenance_workers') = '0'"
    watch(attached, f"IF NOT {alone} THEN {RAISE.format('53100')}; END IF")
    assert db.sync("articles").index_built
    assert attempts(attached) == 2
    assert "--shm-size" in caplog.text


def test_where_memory_is_short_the_server_s_own_setting_is_used(
    attached: Connection, db: Database, words: WordEncoder
) -> None:
    attached.execute(f"ALTER DATABASE {attached.info.dbname} SET maintenance_work_mem = '1MB'".encode())
    db.own_engine.dispose()
    watch(attached, f"IF current_setting('maintenance_work_mem') <> '1MB' THEN {RAISE.format('53200')}; END IF")
    assert db.sync("articles").index_built
    assert attempts(attached) == 2


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root")
def test_the_64_megabytes_of_a_container(tmp_path: Path) -> None:
    mount = "mount -t tmpfs -o size=16m tmpfs /dev/shm"
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "sh", "-c", mount], check=False).returncode:
        pytest.skip("this machine lets nobody mount /dev/shm")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            import pgencoder
            from tests.encoder import WordEncoder
            db = pgencoder.embedded(sys.argv[1])
            db.migrate()
            with db.connection() as connection:
                connection.execute("CREATE TABLE public.articles (id int PRIMARY KEY, body text)")
                connection.execute("INSERT INTO public.articles SELECT i, 'no ' || i FROM generate_series(1, 200) AS i")
                # so that a small table is enough for processes that build it together
                connection.execute("ALTER DATABASE postgres SET min_parallel_table_scan_size = 0")
            db.own_engine.dispose()
            db.attach("articles", ["body"], WordEncoder())
            print(db.sync("articles"))
            """
        )
    )
    home = Path("/tmp") / f"pgencoder-shm-{os.getpid()}"  # a socket's path has to be short
    try:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f'{mount} && exec "$0" "$1" "$2"', sys.executable, script, home],
            capture_output=True, text=True, check=False, timeout=120,
            env=os.environ | {"PGENCODER_NATIVE": "off", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert "index_built=True" in done.stdout, done.stderr
    assert "--shm-size" in done.stderr


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (RAISE.format("53100"), "no luck today"),
        (RAISE.format("53200"), "no luck today"),
        (RAISE.format("57014"), "no luck today"),
        (RAISE.format("55P03"), "no luck today"),
        (RAISE.format("XX000"), "no luck today"),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", "terminating connection"),
    ],
    ids=["disk-full", "out-of-memory", "canceled", "locked", "broken", "terminated"],
)
def test_a_build_that_fails_is_reported_and_tried_less_and_less_often(
    attached: Connection, db: Database, words: WordEncoder, body: str, said: str
) -> None:
    watch(attached, body)
    report = db.sync("articles")
    assert (report.rows, report.failed, report.index_built) == (100, 0, False)
    assert said in str(report.index_error)
    first = attempts(attached)
    for failed in (1, 2, 3):
        failures, wait = attached.execute(WAITS).fetchone() or (0, 0)
        assert failures == failed
        assert 60 * 2 ** (failed - 1) - 10 < wait <= 60 * 2 ** (failed - 1)
        (generation,) = db.status()[0].generations
        assert said in str(generation.index_error)
        before = attempts(attached)
        db.worker(encoders=[words]).run_once()
        assert attempts(attached) == before  # not due
        attached.execute("UPDATE pgencoder.generation SET index_retry_at = now()")
        db.worker(encoders=[words]).run_once()
        assert attempts(attached) > before
    attached.execute("DROP EVENT TRIGGER watch")
    assert first >= 1
    db.retry("articles")
    worker = db.worker(encoders=[words])
    worker.run_once()
    assert (db.status()[0].indexed, db.status()[0].active.index_error) == (True, None)
    assert worker.generations.index_problems == {}
    assert value(attached, "SELECT index_failures FROM pgencoder.generation") == 0


def test_the_wait_ends_at_an_hour(attached: Connection, db: Database) -> None:
    generation = db.collection("articles").generation
    attached.execute("UPDATE pgencoder.generation SET index_failures = 1000, index_error = 'x'")
    with db.connection() as other:
        index.note_failure(other, generation, RuntimeError("x"))
        failure = index.failure(other, generation)
    assert failure is not None
    assert 3590 < failure.wait <= 3600


def test_a_worker_says_which_index_it_cannot_build(
    attached: Connection, db: Database, words: WordEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    watch(attached, RAISE.format("53100"))
    with running(db.worker(encoders=[words], options=WorkerOptions(lease=0.3, poll=0.05))):
        until(lambda: any("no luck today" in str(each.problem) for each in db.workers()))
        tried = attempts(attached)
        attached.execute("UPDATE articles SET body = 'other words ' || id")  # others go on with their work
        until(lambda: not value(attached, "SELECT count(*) FROM pgencoder.articles_1_queue"))
        assert attempts(attached) == tried
    said = [record for record in caplog.records if "no luck today" in record.getMessage()]
    assert [record.levelname for record in said] == ["WARNING"]
    assert "articles_1" in said[0].getMessage()


def test_a_generation_without_its_index_says_why(attached: Connection, db: Database, words: WordEncoder) -> None:
    db.sync("articles")
    db.reencode("articles", other := WordEncoder(name="other"))
    watch(attached, RAISE.format("53100"))
    db.sync("articles", encoder=other)
    with pytest.raises(GenerationIncomplete, match="no luck today"):
        db.activate("articles")


def test_a_build_that_a_stop_ends_is_no_failure(attached: Connection, db: Database, words: WordEncoder) -> None:
    watch(attached, "PERFORM pg_sleep(100)")
    worker = db.worker(encoders=[words], options=WorkerOptions(poll=0.05))
    with running(worker):
        until(lambda: attempts(attached))
    assert value(attached, "SELECT index_failures FROM pgencoder.generation") == 0
