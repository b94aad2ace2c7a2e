"""Writes structured logs to stderr: a line for each event, as key=value for people or as JSON for programs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from pgencoder.cli import output
from pgencoder.plain import escaped, one_line

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(form: Literal["text", "json"], level: int = logging.INFO, handler: logging.Handler | None = None) -> None:
    """Send the logs of pgencoder to stderr, or to another handler."""
    handler = logging.StreamHandler() if handler is None else handler
    handler.setFormatter(Json() if form == "json" else Text())
    logger = logging.getLogger("pgencoder")
    logger.handlers = [handler]
    logger.setLevel(level)


@contextmanager
def only(chosen: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Log only records for which `chosen` returns True, until the block ends."""
    handlers = list(logging.getLogger("pgencoder").handlers)
    for handler in handlers:
        handler.addFilter(chosen)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(chosen)


class Above(logging.Handler):
    """Prints lines on stderr above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line of a record."""
        output.warn(self.format(record))


class Text(logging.Formatter):
    """Formats `2026-01-31T12:00:00Z INFO batch of articles_1: rows 256`, then fields that the message lacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        message = one_line(record.getMessage())
        rest = {name: _word(value) for name, value in _fields(record).items()}
        fields = " ".join(f"{name}={word}" for name, word in rest.items() if word.strip('"') not in message)
        return " ".join(part for part in (_time(record), record.levelname, message, fields) if part)


class Json(logging.Formatter):
    """Formats a JSON object: time, level, message and the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        head = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return escaped(json.dumps(head | _fields(record), default=str, ensure_ascii=False))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return fields


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    text = str(value)
    quoted = escaped(json.dumps(text, ensure_ascii=False))
    return text if quoted == f'"{text}"' and not re.search(r"\s", text) else quoted
