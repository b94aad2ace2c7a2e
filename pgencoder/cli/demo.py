"""The command `pgencoder demo`: it searches the docstrings of Python's standard library."""

from __future__ import annotations

import importlib
import inspect
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO

from psycopg import sql
from rich.table import Table
from rich.text import Text

from pgencoder import Database
from pgencoder.cli import output
from pgencoder.cli.output import shorten
from pgencoder.db.connection import Connection, schema_of_new
from pgencoder.plain import one_line
from pgencoder.results import Hit, SyncReport
from pgencoder.search import Search, rows
from pgencoder.statements import Part, identifier, query
from pgencoder.types import Collection, Stage

COLLECTION = "stdlib_docs"
QUESTIONS = (
    "run a command and capture its output",
    "pretty print a nested structure",
    "find the longest common subsequence of two lists",
    "read a file line by line without loading it into memory",
    "wait until all threads have reached the same point",
)
# Modules that are encoded first: the questions are about them, or everybody knows them
FIRST = ("subprocess", "pprint", "linecache", "fileinput", "difflib", "threading", "textwrap", "shutil", "csv", "json")
FIRST_ROWS = 96  # these have answers to all questions
# Modules whose import has an effect or needs a display
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
    """Create the table, attach it, encode a part, answer the questions, and encode the rest."""
    db.migrate()
    output.say(output.kernel(db.kernel()))
    _prepare(db)
    first, left = _encode(db, FIRST_ROWS)
    if left:
        output.say(f"The first answers, from {first.rows:,} docstrings:")
    for question in QUESTIONS:
        output.console.print(_answers(db, question))
    program = sys.argv[0] if sys.argv[0].endswith("pgencoder") else "pgencoder"
    if left:
        output.say(
            f"The other {left:,} docstrings take about {_duration(left * first.seconds / first.rows)}. Stop it with ^C"
            f" if you like; then go on with: {program} sync {COLLECTION}"
        )
        _encode(db, None)
    output.say("Ask your own question:")
    for command in (
        f'search {COLLECTION} "compare two files" -k 5',
        f'search {COLLECTION} "parse a date" --filter "module = \'datetime\'"',
        "status",
    ):
        output.console.print(Text(f"    {program} {command}"), soft_wrap=True)  # to be copied


def _encode(db: Database, rows: int | None) -> tuple[SyncReport, int]:
    """Encode `rows` rows, or all; return the report and the number of rows that are left."""
    left = 0

    with output.progress("encoding") as on_progress:

        def count(done: int, total: int) -> None:
            nonlocal left
            left = total - done
            on_progress(done, total if rows is None else min(total, max(rows, done)))

        report = db.sync(COLLECTION, rows=rows, progress=count)
    if report.rows:
        output.say(
            f"{report.rows:,} rows encoded into {report.passages:,} passages in {_duration(report.seconds)}"
            f" ({report.rows / report.seconds:.0f} rows/s)"
        )
    return report, left


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def docstrings() -> Iterator[tuple[str, str, str]]:
    """Yield module, qualified name and docstring of each public function, class and method of the standard library."""
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
    """Create, attach and fill the table, as far as that is not done."""
    with db.connection() as connection:
        table = create_table(connection)
    if COLLECTION not in [collection.name for collection in db.collections()]:
        output.say("attaching a table: this makes a passages table, a queue and triggers, in schema pgencoder")
        db.attach(COLLECTION, ["name", "doc"])
    with db.connection() as connection, connection.transaction():
        if _count(connection, table) == 0:
            fill_table(connection, table, docstrings())
        rows = _count(connection, table)
    output.say(f"table {COLLECTION}: {rows:,} docstrings of Python {sys.version.split()[0]}")


def create_table(connection: Connection) -> Part:
    """Create the table of the demo if it does not exist, and return its name."""
    table = identifier(schema_of_new(connection), COLLECTION)
    connection.execute(query("create_docstrings").format(table=table))
    return table


def fill_table(connection: Connection, table: Part, found: Iterable[tuple[str, str, str]]) -> None:
    """Insert docstrings as rows; those of the modules in `FIRST` come first."""
    ordered = sorted(found, key=lambda row: FIRST.index(row[0]) if row[0] in FIRST else len(FIRST))
    with connection.cursor() as cursor:
        cursor.executemany(query("insert_docstring").format(table=table), ordered)


def _count(connection: Connection, table: Part) -> int:
    row = connection.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(table)).fetchone()
    assert row is not None
    return int(row[0])


def _answers(db: Database, question: str) -> Table:
    table = Table(title=Text(question, style="bold"), title_justify="left", expand=True)
    collection = db.collection(COLLECTION)
    encoded = db.encode_query(collection, question)
    columns = []
    stages: tuple[tuple[Stage, str], ...] = (("dense", "dense only"), ("fused", "dense, words and MaxSim"))
    for stage, label in stages:
        search = Search(3, group="document", stage=stage)
        db.run(collection, search, encoded)  # so that both timed searches have their pages in memory
        started = time.perf_counter()
        hits = db.run(collection, search, encoded)
        table.add_column(f"{label}: {(time.perf_counter() - started) * 1000:.1f} ms", ratio=1, overflow="fold")
        columns.append(_lines(db, collection, hits))
    for row in zip(*columns, strict=False):
        table.add_row(*row)
    return table


def _lines(db: Database, collection: Collection, hits: list[Hit]) -> list[Text]:
    """Return two lines for each hit: its score and the name of its row, and the start of the docstring."""
    with db.connection() as connection:
        found = rows.columns(connection, collection, [hit.key for hit in hits], ["name", "doc"])
    return [
        Text.assemble((f"{hit.score:.3f} ", "dim"), (one_line(row["name"]), "bold"), "\n", shorten(row["doc"], 70))
        for hit, row in zip(hits, found, strict=True)
        if row is not None
    ]
