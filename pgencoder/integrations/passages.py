"""Searches for the retrievers of all frameworks: passages with an id and metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import quote

from pgencoder.database import Database
from pgencoder.errors import InvalidRequest
from pgencoder.integrations.refusal import refused
from pgencoder.search import rows

OWN = ("collection", "key", "passage", "span", "score")


@dataclass(frozen=True)
class FoundPassage:
    """A hit with an `id` that is unique in the database; `row` is the id of its row."""

    id: str
    row: str
    content: str
    span: tuple[int, int]
    score: float
    metadata: Mapping[str, Any]


def find(db: Database, name: str, query: str, columns: Sequence[str], **search: Any) -> list[FoundPassage]:
    """Return the passages that `db.search` finds; the metadata has `columns` of their rows, read by a second query."""
    if isinstance(columns, str):
        raise InvalidRequest('metadata_columns must be a list of columns: ["title", "url"]')
    if taken := [column for column in columns if column in OWN]:
        raise InvalidRequest(f"the metadata always has {taken[0]!r}; leave it out of metadata_columns")
    collection = db.collection(name)
    with refused():
        hits = db.search(name, query, **search)
    more: list[Mapping[str, Any] | None] = [{}] * len(hits)
    if columns:
        with db.connection() as connection:
            more = rows.columns(connection, collection, [hit.key for hit in hits], columns)
    found = []
    for hit, chosen in zip(hits, more, strict=True):
        key = hit.key if isinstance(hit.key, tuple) else (hit.key,)
        # quoted, because a key may contain slashes
        row = "/".join(quote(str(part), safe="") for part in (name, *key))
        own = dict(zip(OWN, (name, hit.key, hit.passage, hit.span, hit.score), strict=True))
        # a row that was deleted after the search has no columns
        metadata = {column: plain(value) for column, value in {**own, **(chosen or {})}.items()}
        found.append(FoundPassage(f"{row}/{hit.passage}", row, hit.content, hit.span, hit.score, metadata))
    return found


def plain(value: Any) -> Any:
    """Return a value of a row as a JSON value, so that a framework can store it; other types become text."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case None | str() | bool() | int() | float():
            return value
        case list():
            return [plain(each) for each in value]
        case tuple():
            return tuple(plain(each) for each in value)
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case date() | time():
            return value.isoformat()
        case bytes():
            return f"\\x{value.hex()}"  # as Postgres writes it
        case _:
            return str(value)
