"""Processes that fork after their parent has searched: each gets answers of its own."""

from __future__ import annotations

import gc
import multiprocessing
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event

import pgencoder
from pgencoder import Database, forks
from tests.connections import Connection
from tests.encoder import WordEncoder

ROWS = 8
SEARCHES = 25  # of each child
HUNG = 120  # seconds

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def searched(db: Database, connection: Connection, words: WordEncoder) -> Database:
    connection.execute(
        "CREATE TABLE numbered (id int PRIMARY KEY, body text);"
        "INSERT INTO numbered SELECT i, 'word' || i || ' filler text' FROM generate_series(0, 15) i"
    )
    db.attach("numbered", ["body"], words)
    db.sync("numbered")
    assert wrong(db, words, 0, 1) == 0
    return db


def wrong(db: Database, words: WordEncoder, number: int, searches: int = SEARCHES) -> int:
    """How many of so many answers are those of another query."""
    asked = (db.search("numbered", f"word{number}", k=1, encoder=words) for _ in range(searches))
    return sum(hits[0].key != number for hits in asked)


def fork(work: Callable[[], object]) -> int:
    """A child that works and ends: with 0 if that gives 0 or None."""
    if (child := os.fork()) != 0:
        return child
    code = 99
    try:
        signal.alarm(HUNG)
        code = int(bool(work()))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def end(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def busy(work: Callable[[], object], threads: int = 2) -> Iterator[None]:
    """Threads that work meanwhile."""
    stopping = threading.Event()
    errors: list[BaseException] = []
    begun = threading.Barrier(threads + 1)

    def run() -> None:
        try:
            work()
            begun.wait()
            while not stopping.is_set():
                work()
        except BaseException as error:
            errors.append(error)
            raise

    each = [threading.Thread(target=run) for _ in range(threads)]
    for thread in each:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        stopping.set()
        for thread in each:
            thread.join()
    assert errors == []


def test_children_get_answers_of_their_own(searched: Database, words: WordEncoder) -> None:
    children = [fork(lambda i=i: wrong(searched, words, i)) for i in range(1, ROWS + 1)]  # type: ignore[misc]
    assert wrong(searched, words, 0) == 0
    assert [end(child) for child in children] == [0] * ROWS
    assert wrong(searched, words, 0, 1) == 0


def test_a_fork_while_threads_search(searched: Database, words: WordEncoder) -> None:
    with busy(lambda: wrong(searched, words, 0, 1) and pytest.fail("an answer of another query")):
        for _ in range(3):
            children = [fork(lambda i=i: wrong(searched, words, i, 5)) for i in range(1, 4)]  # type: ignore[misc]
            assert [end(child) for child in children] == [0] * 3
    gc.collect()


def test_a_child_that_forks(searched: Database, words: WordEncoder) -> None:
    def child() -> int:
        grandchildren = [fork(lambda i=i: wrong(searched, words, i)) for i in (1, 2)]  # type: ignore[misc]
        bad = wrong(searched, words, 3)
        return bad + sum(end(each) for each in grandchildren)

    children = [fork(child), fork(child)]
    assert wrong(searched, words, 4) == 0
    assert [end(each) for each in children] == [0, 0]


def test_a_connection_in_use_is_taken_from_the_child(searched: Database, words: WordEncoder) -> None:
    """What the child does with it, and its end there, does not reach the parent's transaction."""
    with searched.engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

        def child() -> int:
            with pytest.raises(Exception, match=r"(?s)."):
                connection.exec_driver_sql("SELECT 1")
            with pytest.raises(Exception, match=r"(?s)."):
                connection.exec_driver_sql("SELECT 1")
            return wrong(searched, words, 5, 1)

        assert end(fork(child)) == 0
        assert end(fork(lambda: gc.collect() and None)) == 0
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == number
        assert connection.in_transaction()
    with searched.connection() as inside:
        assert end(fork(lambda: wrong(searched, words, 6, 2))) == 0
        assert inside.execute("SELECT 7").fetchone() == (7,)


def test_a_fork_during_the_first_connection(searched: Database, words: WordEncoder, url: str) -> None:
    """Another thread holds whatever it is that SQLAlchemy locks then."""
    fresh = pgencoder.connect(url)
    connecting, forked = threading.Event(), threading.Event()

    @event.listens_for(fresh.own_engine, "connect")
    def _wait(_connection: object, _record: object) -> None:
        connecting.set()
        if threading.current_thread() is thread:
            assert forked.wait(HUNG)

    thread = threading.Thread(target=fresh.collections)
    thread.start()
    assert connecting.wait(HUNG)
    child = fork(lambda: wrong(fresh, words, 1, 1))
    forked.set()
    thread.join()
    assert end(child) == 0
    fresh.close()


def test_a_fork_while_a_model_is_loaded(
    searched: Database, words: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread holds the lock of those who need a model."""
    generation = searched.collection("numbered").generation
    with searched._encoders._loading:
        held = threading.Thread(target=lambda: searched._encoders.of(generation, words))
        held.start()
        child = fork(lambda: wrong(searched, words, 1, 1))
        assert end(child) == 0
    held.join()


def test_a_process_with_a_worker(searched: Database, connection: Connection, words: WordEncoder, url: str) -> None:
    """Its children search, and can work themselves; it goes on to hear of changes."""
    worker = searched.worker(encoders=[words], options=pgencoder.WorkerOptions(poll=0.2))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        children = [fork(lambda i=i: wrong(searched, words, i, 5)) for i in (1, 2)]  # type: ignore[misc]
        connection.execute("INSERT INTO numbered VALUES (20, 'twentieth')")

        def child() -> int:
            with pgencoder.connect(url) as own:
                own.sync("numbered", encoder=words)
            return wrong(searched, words, 3, 5)

        children.append(fork(child))
        assert [end(each) for each in children] == [0, 0, 0]
        connection.execute("INSERT INTO numbered VALUES (21, 'twentyfirst')")
        for _ in range(HUNG * 10):
            if searched.search("numbered", "twentyfirst", k=1, encoder=words)[0].key == 21:
                break
            threading.Event().wait(0.1)
        else:
            pytest.fail("the worker does not go on")
    finally:
        worker.stop()
        thread.join()


def _spawned(url: str, number: int, bad: object) -> None:
    with pgencoder.connect(url) as db:
        bad.value = wrong(db, WordEncoder(), number)  # type: ignore[attr-defined]


def test_processes_that_are_spawned(searched: Database, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    results = [context.Value("i", -1) for _ in range(2)]
    processes = [context.Process(target=_spawned, args=(url, i, each)) for i, each in enumerate(results)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [each.value for each in results] == [0, 0]


def test_a_model_that_the_parent_has_used_encodes_in_children(minilm: pgencoder.Encoder) -> None:
    """Also where other threads use it as the process forks."""
    expected = minilm.encode_query("slow replicas").dense

    def child() -> bool:
        minilm.encode_documents(["some text", "and another"])
        return not (abs(minilm.encode_query("slow replicas").dense - expected) < 1e-4).all()

    assert end(fork(child)) == 0
    assert end(fork(lambda: end(fork(child)))) == 0
    with busy(lambda: minilm.encode_documents(["words and words " * 20] * 4)):
        assert [end(fork(child)) for _ in range(4)] == [0] * 4


def test_a_fork_waits_for_threads_that_must_not_be_disturbed() -> None:
    inside, nested = threading.Event(), threading.Event()
    read, write = os.pipe()

    def work() -> None:
        with forks.undisturbed(), forks.undisturbed():
            inside.set()
            assert nested.wait(HUNG)
            os.write(write, b"done")

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(HUNG)
    threading.Timer(0.2, nested.set).start()
    assert end(fork(lambda: not select.select([read], [], [], 0)[0])) == 0
    thread.join()
    with forks.undisturbed():  # by the thread itself: there is nothing to wait for
        assert end(fork(lambda: None)) == 0
    os.close(read)
    os.close(write)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_a_child_inherits_of_sockets(searched: Database) -> None:
    with searched.connection() as connection:
        descriptor = connection.fileno()
        assert end(fork(lambda: os.readlink(f"/proc/self/fd/{descriptor}") != os.devnull)) == 0
        assert os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    assert isinstance(connection, psycopg.Connection)
