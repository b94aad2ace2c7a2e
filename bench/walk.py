"""Count the rooms that a call passes, while it runs against the embedded database: `structure.py --walk`.

A room is the first part of a path below `pgencoder/`: `db` of `db/catalog.py`, `errors` of `errors.py`. The caller of a
function is the nearest frame below it on the stack that is ours. Frames of other packages and generator expressions are
passed over, and a thread continues the stack that started it. Every call is run twice, and the second time is measured,
so imports do not count.

- room changes: the distinct pairs of rooms, another of the caller than of the called
- both ways: the pairs of rooms that call each other, as when one hands a function down to the other
- longest chain: the rooms on the longest path down, from the entry, with repetitions of one room taken as one
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

Chain = tuple[str, ...]
ROWS = ["a red hat", "a blue wool coat", "some green shoes"]


class WordEncoder:
    """A fake encoder: a word's vector is drawn by its letters, a text's vector is the mean of its words'."""

    def __init__(self, dims: Any) -> None:
        self.dims = dims
        self.fingerprint = {"model": "walk", "dims": [dims.dense, dims.tokens]}

    def encode_query(self, text: str) -> Any:
        """Encode one text."""
        from pgencoder import Encoding

        seeds = [int.from_bytes(word.encode()[:8], "big") for word in text.split()] or [0]
        dense, tokens = (
            np.stack([np.random.default_rng(seed).standard_normal(dims, dtype=np.float32) for seed in seeds])
            for dims in (self.dims.dense, self.dims.tokens)
        )
        return Encoding(dense.mean(axis=0), tokens)

    def encode_documents(self, texts: Sequence[str]) -> list[Any]:
        """Encode each text."""
        return [self.encode_query(text) for text in texts]


class Walk:
    """The rooms that calls pass while this is the profiler."""

    def __init__(self, root: Path) -> None:
        self.package = f"{root / 'pgencoder'}{os.sep}"
        self.edges: dict[tuple[str, str], None] = {}  # in the order in which they are first passed
        self.longest: Chain = ()
        self._rooms: dict[str, str | None] = {}
        self._begun: dict[int, Chain] = {}

    def room(self, frame: FrameType) -> str | None:
        """Return the room of a frame; None for code of others and for generator expressions."""
        name = frame.f_code.co_filename
        if frame.f_code.co_name == "<genexpr>":
            return None
        if name not in self._rooms:
            ours = name.startswith(self.package)
            self._rooms[name] = Path(name[len(self.package) :]).with_suffix("").parts[0] if ours else None
        return self._rooms[name]

    def chain(self, frame: FrameType | None) -> Chain:
        """Return the rooms from the entry to a frame."""
        found: list[str] = []
        while frame is not None:
            room = self.room(frame)
            if room is not None and found[-1:] != [room]:
                found.append(room)
            frame = frame.f_back
        before = self._begun.get(threading.get_ident(), ())
        return before + tuple(reversed(found[:-1] if before[-1:] == tuple(found[-1:]) else found))

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Take note of a call."""
        if event != "call" or self.room(frame) is None:
            return
        chain = self.chain(frame)
        if len(chain) > 1:
            self.edges.setdefault((chain[-2], chain[-1]))
        if len(chain) > len(self.longest):
            self.longest = chain

    @contextmanager
    def running(self) -> Iterator[None]:
        """Profile this thread and those that it starts."""
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            begun, run = self.chain(sys._getframe(1)), thread.run

            def run_on() -> None:
                self._begun[threading.get_ident()] = begun
                run()

            thread.run = run_on  # type: ignore[method-assign]
            start(thread)

        threading.Thread.start = started  # type: ignore[assignment, method-assign]
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            threading.Thread.start = start  # type: ignore[method-assign]


def imported(*names: str) -> ModuleType:
    """Import the first of these modules that exists: an older checkout has it by a later one of these names."""
    return import_module(next(name for name in names if find_spec(name)))


def cli(*arguments: str) -> None:
    """Run the command line here, with what it prints left out."""
    from pgencoder.cli import main

    argv, stdout = sys.argv, sys.stdout
    with open(os.devnull, "w") as sys.stdout, suppress(SystemExit):
        sys.argv = ["pgencoder", *arguments]
        main()
    sys.argv, sys.stdout = argv, stdout


def by_orm(db: Any, encoder: Any, table: str) -> None:
    """Attach a mapped class."""
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, mapped_column

    from pgencoder import attach_all

    module = imported("pgencoder.sqlalchemy", "pgencoder.orm")
    declaration = getattr(module, "EncodedColumns", None) or module.Encoding
    base = type("Base", (DeclarativeBase,), {})
    columns = {"id": mapped_column(sa.Integer, primary_key=True), "body": mapped_column(sa.Text)}
    name = {"__tablename__": table, "__encoding__": declaration(["body"], encoder)}
    type("Row", (base,), {**name, **columns})
    attach_all(base, db)


def by_alembic(db: Any, encoder: Any, table: str) -> None:
    """Attach by an operation of a migration."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    imported("pgencoder.alembic", "pgencoder.orm.alembic")  # adds the operations

    with db.engine.begin() as connection:
        Operations(MigrationContext.configure(connection)).attach_encoding(table, ["body"], encoder)


def traces(db: Any, encoder: Any) -> dict[str, Callable[[str], object]]:
    """Return the calls, each for a table of a number that is new each time."""
    url = db.engine.url.render_as_string(hide_password=False)
    return {
        "attach, CLI": lambda table: cli("attach", table, "--columns", "body", "--database", url),
        "attach, ORM": lambda table: by_orm(db, encoder, table),
        "attach, Alembic": lambda table: by_alembic(db, encoder, table),
        "a row to passages": lambda table: db.sync(table, encoder=encoder, progress=False),
        "a text to a Hit": lambda table: db.search(table, "red coat", encoder=encoder),
    }


def prepare(db: Any, encoder: Any, table: str, trace: str) -> None:
    """Make the table of a call, and what must be done before it."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int PRIMARY KEY, body text)")
        rows = [{"id": n, "body": body} for n, body in enumerate(ROWS)]
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES (%(id)s, %(body)s)", rows)
    if trace.startswith("a "):
        db.attach(table, ["body"], encoder)
    if trace == "a text to a Hit":
        db.sync(table, encoder=encoder, progress=False)


def walk(root: Path) -> dict[str, Any]:
    """Return the figures of each call."""
    os.environ.update(PGENCODER_NATIVE="off", HF_HUB_OFFLINE="1")
    sys.path.insert(0, str(root))
    import pgencoder

    assert Path(str(pgencoder.__file__)).is_relative_to(root), "another pgencoder was imported"
    encoder = WordEncoder(pgencoder.Dims(32, 16))
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, pgencoder.embedded(folder) as db:
        db.migrate()
        for number, (trace, call) in enumerate(traces(db, encoder).items()):
            tables = [f"t{number}_{time}" for time in range(2)]
            for table in tables:
                prepare(db, encoder, table, trace)
            call(tables[0])
            passed = Walk(root)
            with passed.running():
                call(tables[1])
            assert any(each.name == tables[1] for each in db.collections()), trace
            figures[f"{trace}: room changes"] = [f"{caller} -> {called}" for caller, called in passed.edges]
            figures[f"{trace}: both ways"] = [
                f"{caller} <-> {called}"
                for caller, called in passed.edges
                if caller < called and (called, caller) in passed.edges
            ]
            figures[f"{trace}: longest chain"] = list(passed.longest)
    return figures
