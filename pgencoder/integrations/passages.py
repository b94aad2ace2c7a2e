"""What every framework's retriever returns: the passages found, each with an id and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgencoder.client import Database
from pgencoder.errors import InvalidRequest
from pgencoder.query import rows

OWN = ("collection", "key", "passage", "span", "score")


@dataclass(frozen=True)
class Passage:
    """A hit, with an `id` that no other passage of the database has, and that of its row."""

    id: str
    row: str
    content: str
    span: tuple[int, int]
    score: float
    metadata: Mapping[str, Any]


def find(db: Database, name: str, query: str, columns: Sequence[str], **search: Any) -> list[Passage]:
    """The passages that `db.search` finds, with `columns` of their rows in the metadata; one more query for those."""
    if isinstance(columns, str):
        raise InvalidRequest('metadata_columns must be a list of columns: ["title", "url"]')
    if taken := [column for column in columns if column in OWN]:
        raise InvalidRequest(f"metadata has a {taken[0]!r} of its own; leave it out of metadata_columns")
    collection = db.collection(name)
    hits = db.search(name, query, **search)
    more: list[Mapping[str, Any] | None] = [{}] * len(hits)
    if columns:
        with db.connection() as connection:
            more = rows.columns(connection, collection, [hit.key for hit in hits], columns)
    found = []
    for hit, chosen in zip(hits, more, strict=True):
        key = hit.key if isinstance(hit.key, tuple) else (hit.key,)
        row = "/".join([name, *map(str, key)])
        own = dict(zip(OWN, (name, hit.key, hit.passage, hit.span, hit.score), strict=True))
        # without the columns where the row went after the search
        metadata = {**own, **(chosen or {})}
        found.append(Passage(f"{row}/{hit.passage}", row, hit.content, hit.span, hit.score, metadata))
    return found
