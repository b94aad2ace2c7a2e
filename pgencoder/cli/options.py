"""What the commands share: the application, common options, and the database that they are about."""

from __future__ import annotations

from typing import Annotated

import typer

import pgencoder
from pgencoder import Database

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Late-interaction retrieval inside Postgres, kept in sync with your rows.",
)

URL = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="PGENCODER_DATABASE_URL",
        metavar="URL",
        help="Postgres URL; without one the embedded server is used.",
    ),
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JSON_LINES = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
MODEL = Annotated[str, typer.Option(help="Sentence-BERT checkpoint: a directory or a hub name.")]
TOKEN_MODEL = Annotated[
    str | None, typer.Option(help="Second checkpoint for the token vectors (ColBERT, BERT, RoBERTa).")
]


def open_database(url: str | None) -> Database:
    """The database at the URL, else the embedded one, which is migrated because it is ours."""
    if url is not None:
        return pgencoder.connect(url)
    db = pgencoder.embedded()
    db.migrate()
    return db
