"""The command line: `pgencoder --help`."""

from __future__ import annotations

import sys

import psycopg
from sqlalchemy.exc import DBAPIError

from pgencoder.errors import PgencoderError


def main() -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    from pgencoder.cli import bench, commands, ingest  # noqa: F401 - they add their commands
    from pgencoder.cli.options import app

    try:
        app()
    except PgencoderError as error:
        sys.exit(f"error: {error}")
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        sys.exit("error: the database says: " + str(cause).split("\n")[0])
    except BrokenPipeError:
        sys.exit(1)


__all__ = ["main"]
