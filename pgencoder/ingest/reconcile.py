"""Finds and repairs what triggers cannot see: logical replication, disabled triggers, restored tables.

It goes through source and passages together in the order of their keys, a piece at a time. The server hashes each
row's content and compares it with the hash that its passages carry. What differs is queued, and workers do the rest.
A row that is queued already does not count. A row that cannot be read is queued too: the worker that fails to read it
notes why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from pgencoder.catalog.keys import all_of
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.db.locks import patiently
from pgencoder.ingest.queue import check_readable, execute, giving_way
from pgencoder.progress import Progress
from pgencoder.results import ReconcileReport
from pgencoder.statements import Part, equal, identifier, listed, raw

PIECE_ROWS = 2_000


def reconcile(
    connection: Connection,
    objects: Objects,
    *,
    rows: int = PIECE_ROWS,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> ReconcileReport:
    """Queue what is missing, stale or orphaned in a generation; each piece is a short transaction."""
    report = ReconcileReport()
    for more in _pieces(connection, objects, rows):
        report = replace(
            report,
            rows=report.rows + more.rows,
            missing=report.missing + more.missing,
            stale=report.stale + more.stale,
            orphaned=report.orphaned + more.orphaned,
        )
        if progress is not None:
            progress(report.rows, report.rows)
        if stopped():
            break
    return report


def _pieces(connection: Connection, objects: Objects, rows: int) -> Iterator[ReconcileReport]:
    """Compare a piece at a time; halve a piece with a row that cannot be read until that row is alone."""
    statement = _statement(objects)
    after, size = None, rows

    def piece() -> tuple[ReconcileReport, list[str] | None]:
        with giving_way(connection):
            parameters = [after, max(1, size), size > 0, *(after or [None] * len(objects.key.numbers))]
            found = execute(connection, statement, parameters).fetchone()
        assert found is not None
        *counts, last = found
        return ReconcileReport(*counts), last

    while True:
        try:
            report, after = patiently(piece)
        except psycopg.Error:
            connection.execute(check_readable(objects))  # raises what concerns the table itself
            if not size:
                raise
            size //= 2  # at 0 the row is not read
            continue
        size = min(rows, 2 * size + 1)
        yield report
        if after is None:
            return


def total(reports: Sequence[ReconcileReport]) -> ReconcileReport:
    """Add up what was found in all generations of a collection."""
    return ReconcileReport(
        max(report.rows for report in reports),
        *(sum(getattr(report, kind) for report in reports) for kind in ("missing", "stale", "orphaned")),
    )


def _statement(objects: Objects) -> sql.Composed:
    keys = [f"k{i}" for i in objects.key.numbers]
    names = [column.name for column in objects.collection.key]

    def of(relation: str) -> list[Part]:
        return [identifier(relation, key) for key in keys]

    either = [sql.SQL("coalesce({}, {})").format(*pair) for pair in zip(of("piece"), of("stored"), strict=True)]
    return objects.fill(
        "reconcile",
        passage_keys=listed(identifier("passage", name) + raw(f" AS {k}") for name, k in zip(names, keys, strict=True)),
        passage_key=objects.key.of(identifier("passage")),
        after=objects.key.parameters(4),
        either=listed(part + raw(f" AS {key}") for part, key in zip(either, keys, strict=True)),
        either_within=_within(either, keys),
        within=_within(of("piece"), keys),
        stored_is_null=of("stored")[0] + raw(" IS NULL"),
        piece_is_null=of("piece")[0] + raw(" IS NULL"),
        piece_is_stored=all_of(map(equal, of("piece"), of("stored"))),
        differing_is_added=all_of(map(equal, of("differing"), of("added"))),
        key_as_claim=listed(identifier(name) + raw(f" AS {k}") for name, k in zip(names, keys, strict=True)),
        key_text=objects.key.k_text,
    )


def _within(columns: Sequence[Part], keys: Sequence[str]) -> Part:
    """Return the condition that a key is not after the edge of the piece, if the piece has one."""
    return sql.SQL("(NOT EXISTS (SELECT FROM edge) OR ({}) OPERATOR(pg_catalog.<=) (SELECT {} FROM edge))").format(
        listed(columns), raw(", ".join(keys))
    )
