"""The command line `pgencoder`: commands that parse arguments, call the package and print the result."""

from __future__ import annotations

import io
import logging
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, NoReturn

import psycopg
from sqlalchemy.exc import DBAPIError

from pgencoder.errors import PgencoderError
from pgencoder.plain import lines

if TYPE_CHECKING:
    import typer


def application() -> typer.Typer:
    """Return the application with all its commands."""
    from pgencoder.cli import bench, commands, evaluate, ingest, searching, server  # noqa: F401 - they add commands
    from pgencoder.cli.options import app

    return app


def main() -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    app = application()
    _print_as_data()
    try:
        app()
    except PgencoderError as error:
        _fail(str(error))
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        _fail("the database says: " + str(cause).split("\n")[0])
    except BrokenPipeError:
        sys.exit(1)
    except Exception:  # an unexpected error is printed in full
        sys.exit(lines(traceback.format_exc()).rstrip())


def _fail(text: str) -> NoReturn:
    from pgencoder.cli import output

    output.warn(f"error: {text}")
    sys.exit(1)


def _print_as_data() -> None:
    """Make output, warnings and logs safe: they cannot fail on a character or control the terminal."""
    from pgencoder.cli import logs, output

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = lambda message, *_, **__: output.warn(f"warning: {message}")
    logs.configure("text", logging.WARNING, logs.Above())


__all__ = ["application", "main"]
