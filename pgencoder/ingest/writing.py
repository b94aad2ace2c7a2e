"""Writes what is complete of a batch, in one transaction, and gives the rest back to the queue.

A row that the server refuses is found by halving; the others are written.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import psycopg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.errors import FingerprintMismatch
from pgencoder.ingest import queue
from pgencoder.ingest.batch import Batch, NewPassage, Vectors, halving
from pgencoder.results import SyncReport
from pgencoder.statements import as_text


class Writer:
    """Writes batches of one generation."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def write(self, connection: Connection, batch: Batch) -> SyncReport:
        """Write what is complete, note what failed, and give the rest back."""
        finished: set[int] = set()
        halving(
            lambda rows: finished.update(self._replace(connection, batch, rows)),
            batch.complete(),
            batch.fail,
            only=_of_the_data,
        )
        queue.fail(connection, self.objects, batch.claim, batch.errors)
        rest = set(range(len(batch.claim.seqs))) - finished - set(batch.errors)
        queue.release(connection, self.objects, batch.claim.take(sorted(rest)))
        return SyncReport(
            rows=len(finished - batch.gone),
            unchanged=len(finished & batch.unchanged),
            passages=sum(passage.row in finished for passage in batch.passages),
            deleted=len(finished & batch.gone),
            failed=len(batch.errors),
            encode_seconds=batch.seconds,
            error=next(reversed(batch.errors.values()), None),
        )

    def check_writable(self, connection: Connection) -> None:
        """Raise LockNotAvailable while nobody may write passages, as while an index is built."""
        with connection.transaction():
            self._lock(connection)

    def _lock(self, connection: Connection) -> None:
        statement = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT").format(self.objects.write)
        connection.execute(statement)

    def _check_same(self, connection: Connection, batch: Batch) -> None:
        """Raise FingerprintMismatch if the passages table is not the one that the batch was read for.

        That happens when a generation was dropped and the next one got its number. The table is locked by now, so it
        cannot happen between this check and the commit.
        """
        if passages_oid(connection, self.objects) != batch.passages_oid:
            raise made_again(self.objects)

    def _replace(self, connection: Connection, batch: Batch, rows: Sequence[int]) -> set[int]:
        """Remove rows from the queue and replace their passages, in one transaction."""
        objects = self.objects
        copy = f"COPY {as_text(objects.write)} (whole, {as_text(objects.copied())}) FROM STDIN (FORMAT BINARY)"
        with connection.transaction():
            # locked before the queue's rows, which applications may want; without waiting for an index build
            self._lock(connection)
            self._check_same(connection, batch)
            finished = queue.finish(connection, objects, batch.claim, rows)
            replaced = sorted(finished & batch.replaced)
            if replaced:
                arrays = batch.claim.take(replaced).key_arrays
                queue.execute(connection, objects.fill("remove_passages"), arrays)
            if any(passage.row in finished for passage in batch.passages):
                with connection.cursor().copy(copy.encode()) as stream:
                    stream.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
                    for i, passage in enumerate(batch.passages):
                        if passage.row in finished:
                            stream.write(_tuple(passage, batch.vectors[i]))
                    stream.write(struct.pack(">h", -1))
        return finished


def passages_oid(connection: Connection, objects: Objects) -> int | None:
    """Return the oid of the passages table; None if there is none."""
    (found,) = connection.execute(
        "SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid", [objects.passages.as_string(connection)]
    ).fetchone() or (None,)
    return found


def made_again(objects: Objects) -> FingerprintMismatch:
    """Return the error for a table that was dropped and made again under the same name."""
    return FingerprintMismatch(f"generation {objects.generation.passages} was dropped and made again")


def _of_the_data(error: Exception) -> bool:
    """Return True if the server refused the data of a row: data exceptions, broken constraints, exceeded limits."""
    return isinstance(error, psycopg.Error) and (error.sqlstate or "")[:2] in ("22", "23", "54")


def _tuple(passage: NewPassage, vectors: Vectors) -> bytes:
    """Return one row in the format of COPY BINARY: the number of fields, then each with its size."""
    span = passage.span
    fields = (
        passage.text.encode() if passage.text != passage.content else None,
        *passage.key,
        struct.pack(">i", passage.number),
        _int4range(span.start, span.end),
        passage.content.encode(),
        passage.content_hash,
        struct.pack(">?", span.truncated),
        passage.row_hash,
        struct.pack(">?", passage.unknown),
        *vectors,
    )
    return struct.pack(">h", len(fields)) + b"".join(
        struct.pack(">i", -1) if part is None else struct.pack(">i", len(part)) + part for part in fields
    )


def _int4range(start: int, end: int) -> bytes:
    """Return the range [start, end): a flag byte (2: the lower bound is in it) and both bounds with their sizes."""
    return struct.pack(">Biiii", 2, 4, start, 4, end)
