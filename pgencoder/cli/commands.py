"""The commands that create, show and remove collections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

import pgencoder
from pgencoder.cli import output
from pgencoder.cli import status as state
from pgencoder.cli.options import (
    CHUNKING,
    COLLECTION,
    COLLECTIONS,
    JSON,
    LEXICAL_HELP,
    MODEL,
    POOLING_HELP,
    SPARSE_MODEL,
    START,
    TOKEN_MODEL,
    URL,
    app,
    command,
    open_database,
)
from pgencoder.encoders import DEFAULT_MODEL, loaded_by_workers
from pgencoder.errors import CollectionExists
from pgencoder.types import DEFAULT_LEXICAL, TokenType


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Late-interaction retrieval inside Postgres, kept in sync with your rows."""
    if show:
        output.say(f"pgencoder {pgencoder.__version__}")
        raise typer.Exit


@command(START, "pgencoder demo")
def demo(database: URL = None) -> None:
    """Encode the docstrings of Python's standard library and answer five questions."""
    from pgencoder.cli.demo import run

    run(open_database(database))


@command(START, "pgencoder migrate", "pgencoder migrate --roles", "pgencoder migrate --to base")
def migrate(
    database: URL = None,
    to: Annotated[str, typer.Option(help='Revision; "base" removes pgencoder with all collections.')] = "head",
    roles: Annotated[
        bool, typer.Option("--roles", help="Create the roles pgencoder_reader and pgencoder_worker and grant them.")
    ] = False,
) -> None:
    """Create or upgrade the schema pgencoder; a second time changes nothing."""
    db = pgencoder.connect(database) if database is not None else pgencoder.embedded()
    db.migrate(to, roles=roles)
    output.say("removed" if to == "base" else f"migrated to {to}")
    if to == "head":
        output.say(output.kernel(db.kernel()))


@command(
    COLLECTIONS,
    "pgencoder attach articles --columns title,body",
    "pgencoder attach articles --columns title --name titles --tokens none",
)
def attach(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="Table, on the search path or as schema.table.", show_default=False)
    ],
    columns: Annotated[str, typer.Option(help="Columns to encode, with commas between.", show_default=False)],
    database: URL = None,
    name: Annotated[str | None, typer.Option(help="Name of the collection; default: the table's name.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of the table.")] = None,
    model: MODEL = DEFAULT_MODEL,
    token_model: TOKEN_MODEL = None,
    sparse_model: SPARSE_MODEL = None,
    tokens: Annotated[
        TokenType | None,
        typer.Option(metavar="TYPE", help="How token vectors are stored: bit, halfvec, or none: dense vectors only."),
    ] = None,
    chunking: CHUNKING = "default",
    lexical: Annotated[
        str | None, typer.Option(metavar="CONFIG", help=LEXICAL_HELP, show_default=DEFAULT_LEXICAL)
    ] = None,
    pooling: Annotated[int, typer.Option(help=POOLING_HELP)] = 1,
    allow_untrained: Annotated[
        bool, typer.Option("--allow-untrained", help="Accept a model without a trained sentence head.")
    ] = False,
    exist_ok: Annotated[bool, typer.Option(help="Accept a collection that already is as asked.")] = True,
) -> None:
    """Make a collection of a table and queue its rows; a second time changes nothing."""
    db = open_database(database)
    with output.progress("queueing") as on_progress:
        ask = partial(
            db.attach,
            table,
            [column.strip() for column in columns.split(",") if column.strip()],
            model,
            token_model=token_model,
            sparse_model=sparse_model,
            schema=schema,
            name=name,
            tokens=tokens,
            chunking=chunking,
            lexical=lexical,
            pooling=pooling,
            allow_untrained=allow_untrained,
            progress=on_progress,
        )
        said = _attach(ask, name or table, exist_ok)
    output.say(said)


def _attach(ask: Callable[..., int], name: str, exist_ok: bool) -> str:
    """Attach, and say what was done; with `exist_ok` the collection may exist already."""
    try:
        queued = ask()
    except CollectionExists:
        if not exist_ok:
            raise
        queued = ask(exist_ok=True)
        return f"{name}: unchanged" + (f", {queued} more rows queued" if queued else "")
    return f"attached {name}: {queued} rows queued; encode them with: pgencoder worker --once"


@command(COLLECTIONS, "pgencoder detach articles")
def detach(collection: COLLECTION, database: URL = None) -> None:
    """Remove a collection and everything made for it; the table keeps its rows."""
    open_database(database).detach(collection)
    output.say(f"detached {collection}")


@command(COLLECTIONS, "pgencoder list", "pgencoder list --json", name="list")
def list_collections(database: URL = None, json: JSON = False) -> None:
    """Show a line for each collection: its name, table, columns and model."""
    found = open_database(database).collections()
    if json:
        output.as_json([asdict(each) for each in found])
    else:
        output.collections(found)


@command(COLLECTIONS, "pgencoder status", "pgencoder status --json")
def status(database: URL = None, json: JSON = False) -> None:
    """Show the collections and the workers: models, and the rows queued, in flight and failed."""
    db = open_database(database)
    states, workers = db.status(), db.workers()
    if json:
        output.as_json(
            {"collections": [asdict(each) for each in states], "workers": [asdict(each) for each in workers]}
        )
        return
    output.say(output.kernel(db.kernel()))
    output.say("")
    failed = {each.name: db.failed(each.name, limit=3) for each in states}
    elsewhere = {
        (each.name, generation.number)
        for each in db.collections()
        for generation in each.generations
        if not loaded_by_workers(generation.encoder)
    }
    state.show(states, workers, failed, datetime.now(UTC), elsewhere)
