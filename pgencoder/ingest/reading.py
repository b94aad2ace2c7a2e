"""Reads the rows of a claim, splits them into passages, and takes over vectors of passages that have not changed.

A row that cannot be read or split is found by halving; the others are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.encoders import Encoder
from pgencoder.ingest import queue
from pgencoder.ingest.batch import Batch, NewPassage, Vectors, halving
from pgencoder.ingest.chunking import Split, longest, mostly_unknown, splitter
from pgencoder.ingest.writing import made_again, passages_oid
from pgencoder.types import Collection
from pgencoder.vectors import halfvec_oids

BATCH_BYTES = 32 << 20  # of content that is read at once
PACKED_BYTES = 256 << 20  # of vectors that wait to be written


class Reader:
    """Reads claims of one generation."""

    def __init__(self, objects: Objects, encoder: Encoder) -> None:
        self.objects = objects
        self._split: Split = splitter(encoder, objects.generation.chunking)
        self._unknown = mostly_unknown(encoder)
        self._length = longest(encoder)
        self._oids: tuple[int, int] | None = None

    def read(self, connection: Connection, claimed: queue.Claim) -> Batch:
        """Read the rows of a claim and split those that have changed; vectors of passages that have not are kept."""
        batch = Batch(claimed, *self._look(connection))
        rows = self._rows(connection, batch)
        stored = self._stored(connection, claimed)
        hashes = {row.number: hashlib.sha256(row.content.encode()).digest() for row in rows}
        changed = []
        for row in rows:
            if claimed.attempts[row.number] > queue.MOST_ATTEMPTS:
                batch.errors[row.number] = f"{claimed.attempts[row.number] - 1} workers died while they encoded it"
            elif row.number in stored and stored[row.number].row_hash == hashes[row.number]:
                batch.unchanged.add(row.number)
            else:
                changed.append(row)
        batch.replaced = (set(stored) - batch.unchanged) & (batch.gone | {row.number for row in changed})
        halving(
            lambda some: batch.passages.extend(self._passages(some, hashes)),
            changed,
            lambda row, error: batch.fail(row.number, error),
        )
        self._leave_out_what_is_too_much(batch)
        self._keep(connection, batch, stored)
        return batch

    def _look(self, connection: Connection) -> tuple[int, int]:
        """Return the oids of the passages table and of `halfvec`; raise FingerprintMismatch if the table is another.

        The oid is read first. A generation that has this description after that had it before, or its table gets
        another oid, and writing finds that.
        """
        if self._oids is None:
            halfvec = halfvec_oids(connection)
            assert halfvec is not None, "vector_schema() would have said so"
            passages = passages_oid(connection, self.objects)
            if passages is None or not still_described(connection, self.objects):
                raise made_again(self.objects)
            self._oids = passages, halfvec[0]
        return self._oids

    def _rows(self, connection: Connection, batch: Batch) -> list[queue.Row]:
        """Return the rows of a claim; note in the batch those that are gone, too large together or cannot be read.

        Reading a row can fail because of its data: damaged pages, an output function that refuses a value, more than a
        message can carry. If the table itself cannot be read, raise that.
        """
        found: list[queue.Row] = []

        def read(some: Sequence[int]) -> None:
            rows, left_out = queue.read_rows(connection, self.objects, batch.claim.take(some), BATCH_BYTES)
            there = [replace(row, number=some[row.number]) for row in rows]
            found.extend(there)
            batch.left_out.update(some[number] for number in left_out)
            batch.gone.update(set(some) - batch.left_out - {row.number for row in there})

        def of_the_rows(_: Exception) -> bool:
            connection.execute(queue.check_readable(self.objects))
            return True

        halving(read, range(len(batch.claim.seqs)), batch.fail, only=of_the_rows)
        return sorted(found, key=lambda row: row.number)

    def _stored(self, connection: Connection, claimed: queue.Claim) -> dict[int, _Stored]:
        stored: dict[int, _Stored] = {}
        for row, _, content_hash, row_hash in queue.execute(
            connection, self.objects.fill("stored"), claimed.key_arrays, binary=True
        ):
            known = stored.get(row, _Stored(row_hash, frozenset()))
            stored[row] = replace(known, hashes=known.hashes | {content_hash})
        return stored

    def _passages(self, rows: Sequence[queue.Row], hashes: dict[int, bytes]) -> list[NewPassage]:
        truncate = self.objects.generation.chunking == "truncate"
        passages = []
        for row, spans in zip(rows, self._split([row.content for row in rows]), strict=True):
            for number, span in enumerate(spans):
                content = row.content[span.start : span.end]
                # the model gets the whole text and cuts it: a word cut by us could have other word pieces
                text = row.content if truncate else content
                own = hashlib.sha256(content.encode()).digest()
                passages.append(
                    NewPassage(row.number, number, row.key, span, content, text, own, hashes[row.number], unknown=False)
                )
        unknown = self._unknown([passage.content for passage in passages])
        return [replace(passage, unknown=each) for passage, each in zip(passages, unknown, strict=True)]

    def _leave_out_what_is_too_much(self, batch: Batch) -> None:
        """Give back rows whose vectors would not fit into memory beside those of the rows before them."""
        representations = self.objects.generation.representations
        budget, row = PACKED_BYTES, None
        for passage in batch.passages:
            tokens = self._length(passage.text)
            budget -= sum(each.size(tokens) for each in representations)
            if budget < 0 and row is not None and passage.row != row:
                batch.left_out.add(passage.row)
            elif passage.row not in batch.left_out:
                row = passage.row
        batch.passages = [passage for passage in batch.passages if passage.row not in batch.left_out]

    def _keep(self, connection: Connection, batch: Batch, stored: dict[int, _Stored]) -> None:
        """Keep the vectors of passages whose content has not changed; not of cut texts, which depend on the rest."""
        if self.objects.generation.chunking == "truncate":
            return
        known = set().union(*(stored[row].hashes for row in batch.replaced))
        again = [i for i, passage in enumerate(batch.passages) if passage.content_hash in known]
        if not again:
            return
        hashes = {batch.passages[i].content_hash for i in again}
        # all rows that had such passages: a row whose key has changed finds the vectors under its old key
        rows = sorted(row for row in batch.replaced if stored[row].hashes & hashes)
        statement = self.objects.fill(
            "vectors",
            stored=self.objects.written("passage"),
            hashes=self.objects.key.parameter(1, "::pg_catalog.bytea[]"),
        )
        arrays = batch.claim.take(rows).key_arrays
        result = queue.execute(connection, statement, [*arrays, list(hashes)], binary=True).pgresult
        assert result is not None
        found: dict[bytes, Vectors] = {}
        for i in range(result.ntuples):
            content_hash, *stored_vectors = (result.get_value(i, column) or b"" for column in range(result.nfields))
            found[content_hash] = tuple(stored_vectors)
        batch.vectors.update(
            (i, found[batch.passages[i].content_hash]) for i in again if batch.passages[i].content_hash in found
        )


def still_described(connection: Connection, objects: Objects) -> bool:
    """Return True if the catalogue still describes the generation as `objects` does."""
    return described(objects, catalog.collection(connection, objects.collection.name))


def described(objects: Objects, collection: Collection) -> bool:
    """Return True if `objects` describe a generation of this collection.

    A collection that was attached again under the same name, with other columns or another encoder, does not count.
    """
    own = objects.generation
    return replace(objects.collection, generations=()) == replace(collection, generations=()) and any(
        replace(each, state=own.state, queued=own.queued) == own for each in collection.generations
    )


@dataclass(frozen=True)
class _Stored:
    row_hash: bytes | None
    hashes: frozenset[bytes]
