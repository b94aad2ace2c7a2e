"""The command line `pgencoder`: commands that parse arguments, call the package and print the result."""

from __future__ import annotations

import io
import logging
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, NoReturn

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
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        cause = _of_database(error)
        if cause is not None:
            _fail("the database says: " + str(cause).split("\n")[0])
        sys.exit(lines(traceback.format_exc()).rstrip())  # what is unexpected is printed in full


def _of_database(error: Exception) -> BaseException | None:
    """Return the driver's error if this is one; the drivers are not loaded before, so that `--help` is quick."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError):
        return error.orig or error
    return error if isinstance(error, psycopg.Error) else None


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
