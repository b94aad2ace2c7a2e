"""The parts that commands share: the application, the groups of commands, common options, and the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import pgencoder
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.types import Chunking

if TYPE_CHECKING:
    from pgencoder import Database

START = "Start"
COLLECTIONS = "Collections"
ENCODING = "Encoding"
SEARCHING = "Searching"
SERVER = "Server"
MEASURING = "Measuring"
GROUPS = (START, COLLECTIONS, ENCODING, SEARCHING, SERVER, MEASURING)


class Grouped(TyperGroup):
    """Lists commands in the order of their groups."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: GROUPS.index(self.commands[name].rich_help_panel))  # type: ignore[attr-defined]


app = typer.Typer(
    cls=Grouped,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Late-interaction retrieval inside Postgres, kept in sync with your rows.",
    epilog="All commands take --database URL or PGENCODER_DATABASE_URL; without either they use a private server.",
)


class Command(TyperCommand):
    """A command whose help ends with examples."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help and the examples."""
        super().format_help(ctx, formatter)
        examples = getattr(self.callback, "examples", ())
        title = " Examples:" if len(examples) > 1 else " Example:"
        formatter.write("\n".join([title, *(f"   {each}" for each in examples)]))


def command(
    group: str, *examples: str, name: str | None = None, to: typer.Typer = app, **settings: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that makes a command of a function, with its group in the help and its examples."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        function.examples = examples  # type: ignore[attr-defined]
        return to.command(name, cls=Command, rich_help_panel=group if to is app else None, **settings)(function)

    return decorate


def group(name: str, panel: str, description: str) -> typer.Typer:
    """Create a command with subcommands."""
    made = typer.Typer(no_args_is_help=True, help=description)
    app.add_typer(made, name=name, rich_help_panel=panel)
    return made


def _names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the collections whose names begin with `incomplete`, or nothing if there is no URL or no answer."""
    url = ctx.params.get("database") or os.environ.get("PGENCODER_DATABASE_URL")
    if url is None:  # completion should not start the private server
        return []
    try:
        with pgencoder.connect(url) as db:
            return [each.name for each in db.collections() if each.name.startswith(incomplete)]
    except Exception:
        return []  # a shell shows no errors during completion


URL = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="PGENCODER_DATABASE_URL",
        metavar="URL",
        help="Postgres URL; without one the embedded server is used.",
    ),
]
COLLECTION = Annotated[
    str,
    typer.Argument(
        metavar="COLLECTION", help="Its name, see: pgencoder list", autocompletion=_names, show_default=False
    ),
]
QUERY = Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JSON_LINES = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
MODEL = Annotated[
    str,
    typer.Option(
        help="Sentence-BERT checkpoint: a directory or a hub name; or a model of a service: openai:NAME, ollama:NAME,"
        " tei:URL, http://HOST/v1#NAME.",
        show_default=DEFAULT_MODEL.split("/")[-1],
    ),
]
CHUNKING = Annotated[
    Chunking,
    typer.Option(
        metavar="HOW", help="default: long rows are split; truncate: they are cut at the limit.", show_default=False
    ),
]
TOKEN_MODEL = Annotated[
    str | None, typer.Option(help="Second checkpoint for the token vectors (ColBERT, BERT, RoBERTa).")
]
SPARSE_MODEL = Annotated[str | None, typer.Option(help="Third checkpoint, for sparse vectors (SPLADE).")]
POOLING_HELP = "1 to 4: store one vector for that many similar tokens."
LEXICAL_HELP = "Words for BM25: a configuration of full text search (english, german, simple), default, or none."
FILTER = Annotated[str | None, typer.Option(help="SQL condition on the table's columns.")]
CANDIDATES = Annotated[int, typer.Option(help="How many passages are recalled for MaxSim.")]


def open_database(url: str | None) -> Database:
    """Return the database at the URL, or without a URL the embedded one; the embedded one is ours, so migrate it."""
    if url is not None:
        return pgencoder.connect(url)
    db = pgencoder.embedded()
    db.migrate()
    return db
