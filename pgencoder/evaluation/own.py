"""Reads judged queries of a user's table from a file of JSON lines.

A line is {"query": "text", "relevant": ["key", ...]}, or {"query": "text", "relevant": {"key": 2, ...}} where keys are
more or less relevant. A key is the text or the number of the primary key. A composite key is the list of its values, or
an object of its columns, and as a name in `relevant` the JSON text of one of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from pgencoder.database import Database
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation.judging import Judged
from pgencoder.search import rows
from pgencoder.types import Collection, KeyColumn

FORM = '{"query": "text", "relevant": ["key", ...]}'


def read(db: Database, collection: Collection, path: Path) -> Judged:
    """Read a file of judged queries, whose ids are the numbers of their lines.

    A key that the table does not have counts as not found, and the result has a warning. Raises InvalidRequest with the
    number of a line that is wrong, and if the table has none of the keys.
    """
    queries: dict[str, str] = {}
    qrels: dict[tuple[str, str], int] = {}
    lost: list[str] = []
    with db.connection() as connection:
        for number, text in _lines(path):
            try:
                query, keys = _parse(text, collection.key)
                there = _there(connection, collection, [key for key, _ in keys])
            except (InvalidRequest, psycopg.DataError, UnicodeEncodeError) as error:
                raise InvalidRequest(f"{path.name}, line {number}: {_said(error)}") from error
            queries[number] = query
            for (key, relevance), found in zip(keys, there, strict=True):
                judged = number, f"not there: {_shown(key)}" if found is None else found
                if found is None and judged not in qrels:
                    lost.append(_shown(key))
                qrels[judged] = relevance
    if not queries:
        raise InvalidRequest(f"{path.name} has no queries; each line is {FORM}")
    if len(lost) >= len(qrels):
        raise InvalidRequest(
            f"{path.name}: table {collection.source_table!r} has none of the {len(lost)} keys, such as {lost[0]}"
        )
    listed = [(number, key, relevance) for (number, key), relevance in qrels.items()]
    return Judged(collection.name, queries, listed, warnings=_warnings(path, collection, lost, len(qrels)))


def _said(error: Exception) -> str:
    return (error.diag.message_primary if isinstance(error, psycopg.Error) else None) or str(error)


def _warnings(path: Path, collection: Collection, lost: Sequence[str], total: int) -> tuple[str, ...]:
    if not lost:
        return ()
    return (
        f"{path.name}: table {collection.source_table!r} lacks {len(lost)} of {total} keys, such as {lost[0]};"
        " they count as not found",
    )


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the number, from 1, and the text of each line that is not empty."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield str(number), line


def _parse(text: str, columns: Sequence[KeyColumn]) -> tuple[str, list[tuple[Any, int]]]:
    """Return the query of a line, and the relevant keys with their relevance."""
    try:
        line = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"this is not JSON ({error}); a line is {FORM}") from error
    if not isinstance(line, dict) or not isinstance(line.get("query"), str) or not line["query"].strip():
        raise InvalidRequest(f'there is no text "query"; a line is {FORM}')
    relevant = line.get("relevant")
    if not isinstance(relevant, list | dict) or not relevant:
        raise InvalidRequest(f'"relevant" names no keys; a line is {FORM}')
    if isinstance(relevant, list):
        return line["query"], [(_key(each, columns), 1) for each in relevant]
    if not all(type(each) is int and 0 <= each < 2**31 for each in relevant.values()):
        raise InvalidRequest('"relevant" must say how relevant each key is by an integer from 0, such as {"key": 2}')
    return line["query"], [(_named(name, columns), relevance) for name, relevance in relevant.items()]


def _named(name: str, columns: Sequence[KeyColumn]) -> Any:
    """Return the key that is a name in `relevant`."""
    if len(columns) == 1:
        return _key(name, columns)
    try:
        return _key(json.loads(name), columns)
    except ValueError:
        raise _no_key(name, columns) from None


def _key(value: Any, columns: Sequence[KeyColumn]) -> Any:
    """Return a key as a hit has it: a value, or a tuple for a composite key."""
    if len(columns) == 1:
        parts = [value]
    elif isinstance(value, dict) and value.keys() == {each.source for each in columns}:
        parts = [value[each.source] for each in columns]
    elif isinstance(value, list) and len(value) == len(columns):
        parts = value
    else:
        raise _no_key(value, columns)
    for part, column in zip(parts, columns, strict=True):
        if isinstance(part, bool) and column.type not in ("boolean", "jsonb"):
            raise _no_key(value, columns)
        if not isinstance(part, str | int | float) and column.type != "jsonb":
            raise _no_key(value, columns)
    return parts[0] if len(parts) == 1 else tuple(parts)


def _no_key(value: Any, columns: Sequence[KeyColumn]) -> InvalidRequest:
    names = [each.source for each in columns]
    form = f"a text or a number ({names[0]})" if len(names) == 1 else f"a list of {', '.join(names)}"
    return InvalidRequest(f"a key of this table is {form}, got {json.dumps(value)}")


def _there(connection: Any, collection: Collection, keys: Sequence[Any]) -> list[str | None]:
    """Return each key as the table has it, as text; None where there is none."""
    names = [each.source for each in collection.key]
    found = rows.columns(connection, collection, keys, names)
    values = [None if row is None else tuple(row[name] for name in names) for row in found]
    return [None if each is None else str(each[0] if len(each) == 1 else each) for each in values]


def _shown(key: Any) -> str:
    return json.dumps(key, ensure_ascii=False)
