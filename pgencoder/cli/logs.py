"""Structured logs: one line an event on stderr, as key=value for people or as JSON for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(form: Literal["text", "json"]) -> None:
    """Send what pgencoder logs to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form == "json" else Text())
    logger = logging.getLogger("pgencoder")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class Text(logging.Formatter):
    """`2026-01-31T12:00:00Z INFO batch generation=articles_1 rows=256`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields = " ".join(f"{name}={_word(value)}" for name, value in _fields(record).items())
        return " ".join(part for part in (_time(record), record.levelname, record.getMessage(), fields) if part)


class Json(logging.Formatter):
    """One JSON object: time, level, message and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        head = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(head | _fields(record), default=str, ensure_ascii=False)


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
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text or "\n" in text else text
