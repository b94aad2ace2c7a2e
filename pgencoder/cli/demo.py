"""The main job on real input: search the docstrings of the running Python's standard library."""

from __future__ import annotations

import importlib
import inspect
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO

from rich.table import Table
from rich.text import Text

from pgencoder import Database
from pgencoder.cli import output
from pgencoder.db.connection import schema_of_new
from pgencoder.query import Search
from pgencoder.sql import as_text, identifier
from pgencoder.types import Hit, Stage

COLLECTION = "stdlib_docs"
QUESTIONS = (
    "run a command and capture its output",
    "pretty print a nested structure",
    "find the longest common subsequence of two lists",
    "read a file line by line without loading it into memory",
    "wait until all threads have reached the same point",
)
# Importing these does something, or needs a display
SKIPPED = frozenset(
    [
        "antigravity",
        "this",
        "idlelib",
        "turtledemo",
        "turtle",
        "tkinter",
        "lib2to3",
        "test",
        "ensurepip",
        "venv",
        "msilib",
        "winreg",
    ]
)


def run(db: Database) -> None:
    """Make the table, attach it, encode it, and answer the questions; a second run only answers."""
    db.migrate()
    output.console.print(output.kernel(db.kernel()), soft_wrap=True)
    _prepare(db)
    with output.progress("encoding") as on_progress:
        report = db.sync(COLLECTION, progress=on_progress)
    if report.rows:
        output.console.print(
            f"{report.rows:,} rows encoded into {report.passages:,} passages in {report.seconds:.0f} s"
            f" ({report.rows / report.seconds:.0f} rows/s)\n"
        )
    db.search(COLLECTION, "warm up")
    for question in QUESTIONS:
        output.console.print(_answers(db, question))
    program = sys.argv[0] if sys.argv[0].endswith("pgencoder") else "pgencoder"
    output.console.print("Ask your own question:\n")
    for command in (
        f'{program} search {COLLECTION} "compare two files" -k 5',
        f'{program} search {COLLECTION} "parse a date" --filter "module = \'datetime\'"',
        f"{program} status",
    ):
        output.console.print(f"    {command}", soft_wrap=True)


def docstrings() -> Iterator[tuple[str, str, str]]:
    """Module, qualified name and docstring of the standard library's public functions, classes and methods."""
    seen: set[int] = set()
    for name in sorted(sys.stdlib_module_names - SKIPPED):
        if name.startswith("_"):
            continue
        with warnings.catch_warnings(), redirect_stdout(StringIO()), suppress(ImportError):
            warnings.simplefilter("ignore")
            module = importlib.import_module(name)
            yield from _documented(module, name, name, seen)


def _documented(owner: object, module: str, prefix: str, seen: set[int]) -> Iterator[tuple[str, str, str]]:
    for name, member in sorted(vars(owner).items(), key=lambda item: item[0]):
        function = inspect.unwrap(member.__func__ if isinstance(member, classmethod | staticmethod) else member)
        if name.startswith("_") or not (inspect.isroutine(function) or inspect.isclass(function)):
            continue
        if inspect.isclass(owner) is False and getattr(function, "__module__", module) != module:
            continue
        doc = getattr(function, "__doc__", None)
        if id(function) in seen or not isinstance(doc, str) or len(doc.split()) < 4:
            continue
        seen.add(id(function))
        yield module, f"{prefix}.{name}", inspect.cleandoc(doc)
        if inspect.isclass(function):
            yield from _documented(function, module, f"{prefix}.{name}", seen)


def _prepare(db: Database) -> None:
    with db.connection() as connection, connection.transaction():
        table = as_text(identifier(schema_of_new(connection), COLLECTION))
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " module pg_catalog.text, name pg_catalog.text UNIQUE, doc pg_catalog.text)"
        )
        row = connection.execute(f"SELECT pg_catalog.count(*) FROM {table}").fetchone()
        if row == (0,):
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO {table} (module, name, doc) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING",
                    list(docstrings()),
                )
            row = connection.execute(f"SELECT pg_catalog.count(*) FROM {table}").fetchone()
    assert row is not None
    output.console.print(f"table {COLLECTION}: {row[0]:,} docstrings of Python {sys.version.split()[0]}")
    if COLLECTION not in [collection.name for collection in db.collections()]:
        output.console.print("attaching it: a passages table, a queue and triggers, in schema pgencoder")
        db.attach(COLLECTION, ["name", "doc"])


def _answers(db: Database, question: str) -> Table:
    table = Table(title=Text(question, style="bold"), title_justify="left", expand=True)
    collection = db.collection(COLLECTION)
    encoded = db.encode_query(collection, question)
    columns = []
    stages: tuple[tuple[Stage, str], ...] = (("dense", "dense only"), ("maxsim", "dense, then MaxSim"))
    for stage, label in stages:
        search = Search(3, group="document", stage=stage)
        db.run(collection, search, encoded)  # what is timed has its pages in memory, for both
        started = time.perf_counter()
        hits = db.run(collection, search, encoded)
        table.add_column(f"{label}: {(time.perf_counter() - started) * 1000:.1f} ms", ratio=1)
        columns.append([_line(hit) for hit in hits])
    for row in zip(*columns, strict=False):
        table.add_row(*row)
    return table


def _line(hit: Hit) -> Text:
    name, _, doc = hit.content.partition(" ")
    return Text.assemble((f"{hit.score:.3f} ", "dim"), (name, "bold"), "\n", output.shorten(doc, 70))
