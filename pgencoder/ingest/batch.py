"""One claim on its way from keys to passages: read, encode, write.

The passages of a batch are sorted by length so that a forward pass pads little, encoded some at a time, and turned into
Postgres' binary format at once: a batch holds packed bits, not float matrices, and memory does not grow with the table.
What cannot be read, encoded or written is halved until the row that fails is alone; the others are written.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import psycopg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.encoders import Encoder
from pgencoder.errors import FingerprintMismatch, InvalidEncoding
from pgencoder.ingest import queue
from pgencoder.ingest.chunking import Split, mostly_unknown, splitter
from pgencoder.results import SyncReport
from pgencoder.sql import as_text, listed, raw
from pgencoder.types import Encoding, Span
from pgencoder.vectors import bit_array, halfvec, halfvec_array, halfvec_oids, normalize

BATCH_ROWS = 256
BATCH_BYTES = 32 << 20  # of content that is read at once
PACKED_BYTES = 256 << 20  # of vectors that wait to be written
FORWARD_TEXTS = 32
FORWARD_TOKENS = 16_384  # texts of a forward pass times the tokens of the longest

Vectors = tuple[bytes, bytes]
T = TypeVar("T")


@dataclass(frozen=True)
class Passage:
    """A passage to be written; `row` is its row's number in the claim."""

    row: int
    number: int
    key: tuple[bytes, ...]
    span: Span
    content: str
    text: str
    content_hash: bytes
    row_hash: bytes
    unknown: bool


@dataclass
class Batch:
    """A claim and what is known of its rows, by their numbers in it."""

    claim: queue.Claim
    gone: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    replaced: set[int] = field(default_factory=set)
    passages: list[Passage] = field(default_factory=list)
    vectors: dict[int, Vectors] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    left_out: set[int] = field(default_factory=set)
    error: Exception | None = None
    seconds: float = 0.0

    def fail(self, row: int, error: Exception) -> None:
        """Note why a row cannot be encoded."""
        self.error = error
        self.errors[row] = " ".join(f"{type(error).__name__}: {error}".split())

    def complete(self) -> list[int]:
        """The rows that can be written: encoded, unchanged or gone."""
        lacking = {self.passages[i].row for i in range(len(self.passages)) if i not in self.vectors}
        without = lacking | self.left_out | set(self.errors)
        return [row for row in range(len(self.claim.seqs)) if row not in without]


class Target:
    """A generation with its encoder: reads, encodes and writes claims. One thread at a time may be in each method."""

    def __init__(self, connection: Connection, objects: Objects, encoder: Encoder) -> None:
        self.objects = objects
        self.encoder = encoder
        self.front = queue.Front()
        self._split: Split = splitter(encoder, objects.generation.chunking)
        self._unknown = mostly_unknown(encoder)
        self._most_tokens = max((window.capacity for window in getattr(encoder, "windows", ())), default=None)
        oids = halfvec_oids(connection)
        assert oids is not None, "vector_schema() would have said so"
        self._oid = oids[0]
        self._passages_oid = _oid(connection, objects)

    def __repr__(self) -> str:
        return f"Target({self.objects.generation.passages!r}, {self.encoder!r})"

    def read(self, connection: Connection, claimed: queue.Claim) -> Batch:
        """Read the rows of a claim and split those that have changed; vectors of passages that have not are kept."""
        batch = Batch(claimed)
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

    def encode(self, batch: Batch, go_on: Callable[[], bool] = lambda: True) -> None:
        """Encode what has no vectors yet, while `go_on` says so between two forward passes."""
        started = time.perf_counter()
        for chosen in self._forward_passes(batch):
            if not go_on():
                break
            halving(
                lambda some: self._encode(batch, some) if go_on() else None,
                [i for i in chosen if batch.passages[i].row not in batch.errors],
                lambda i, error: batch.fail(batch.passages[i].row, error),
            )
        batch.seconds = time.perf_counter() - started

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

    def _rows(self, connection: Connection, batch: Batch) -> list[queue.Row]:
        """The rows of a claim; what is gone, too much at once or cannot be read is noted in the batch.

        Reading a row can fail by what the row holds: damaged data, an output function that refuses a value, more than a
        message can carry. Where the table itself cannot be read, that is raised.
        """
        found: list[queue.Row] = []

        def read(some: Sequence[int]) -> None:
            rows, left_out = queue.read(connection, self.objects, batch.claim.take(some), BATCH_BYTES)
            there = [replace(row, number=some[row.number]) for row in rows]
            found.extend(there)
            batch.left_out.update(some[number] for number in left_out)
            batch.gone.update(set(some) - batch.left_out - {row.number for row in there})

        def of_the_rows(_: Exception) -> bool:
            queue.check_readable(connection, self.objects)
            return True

        halving(read, range(len(batch.claim.seqs)), batch.fail, only=of_the_rows)
        return sorted(found, key=lambda row: row.number)

    def _lock(self, connection: Connection) -> None:
        statement = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT").format(self.objects.write)
        connection.execute(statement)

    def _stored(self, connection: Connection, claimed: queue.Claim) -> dict[int, _Stored]:
        stored: dict[int, _Stored] = {}
        for row, _, content_hash, row_hash in queue.execute(
            connection, self.objects.fill("stored"), claimed.key_arrays, binary=True
        ):
            known = stored.get(row, _Stored(row_hash, frozenset()))
            stored[row] = replace(known, hashes=known.hashes | {content_hash})
        return stored

    def _passages(self, rows: Sequence[queue.Row], hashes: dict[int, bytes]) -> list[Passage]:
        truncate = self.objects.generation.chunking == "truncate"
        passages = []
        for row, spans in zip(rows, self._split([row.content for row in rows]), strict=True):
            for number, span in enumerate(spans):
                content = row.content[span.start : span.end]
                # a cut text is given whole: its last word, cut, could have other word pieces
                text = row.content if truncate else content
                own = hashlib.sha256(content.encode()).digest()
                passages.append(
                    Passage(row.number, number, row.key, span, content, text, own, hashes[row.number], unknown=False)
                )
        unknown = self._unknown([passage.content for passage in passages])
        return [replace(passage, unknown=each) for passage, each in zip(passages, unknown, strict=True)]

    def _leave_out_what_is_too_much(self, batch: Batch) -> None:
        """Give back rows whose vectors would not fit into memory beside those of the rows before them."""
        dims = self.objects.generation.dims.tokens
        token_bytes = 8 + (2 * dims if self.objects.generation.token_type == "halfvec" else dims // 8)
        budget, row = PACKED_BYTES, None
        for passage in batch.passages:
            budget -= self._length(passage.text) * token_bytes
            if budget < 0 and row is not None and passage.row != row:
                batch.left_out.add(passage.row)
            elif passage.row not in batch.left_out:
                row = passage.row
        batch.passages = [passage for passage in batch.passages if passage.row not in batch.left_out]

    def _keep(self, connection: Connection, batch: Batch, stored: dict[int, _Stored]) -> None:
        """Take over the vectors of passages whose content is as it was; of a cut text they could be another's."""
        if self.objects.generation.chunking == "truncate":
            return
        known = set().union(*(stored[row].hashes for row in batch.replaced))
        again = [i for i, passage in enumerate(batch.passages) if passage.content_hash in known]
        if not again:
            return
        hashes = {batch.passages[i].content_hash for i in again}
        # not the rows of these passages, but all that had such: a row whose key has changed finds its old one's
        rows = sorted(row for row in batch.replaced if stored[row].hashes & hashes)
        statement = self.objects.fill("vectors", hashes=self.objects.parameter(1, "::pg_catalog.bytea[]"))
        arrays = batch.claim.take(rows).key_arrays
        result = queue.execute(connection, statement, [*arrays, list(hashes)], binary=True).pgresult
        assert result is not None
        found: dict[bytes, Vectors] = {}
        for i in range(result.ntuples):
            content_hash, dense, tokens = (result.get_value(i, column) or b"" for column in range(3))
            found[content_hash] = dense, tokens
        batch.vectors.update(
            (i, found[batch.passages[i].content_hash]) for i in again if batch.passages[i].content_hash in found
        )

    def _length(self, text: str) -> int:
        """At most so many tokens, as far as can be told without the tokenizer."""
        return len(text) if self._most_tokens is None else min(len(text), self._most_tokens)

    def _forward_passes(self, batch: Batch) -> Iterator[list[int]]:
        """The passages to encode, longest first, by so many as a forward pass takes."""
        passages = batch.passages
        waiting = [i for i in range(len(passages)) if i not in batch.vectors]
        waiting.sort(key=lambda i: len(passages[i].text), reverse=True)
        while waiting:
            longest = max(1, self._length(passages[waiting[0]].text))
            count = max(1, min(FORWARD_TEXTS, FORWARD_TOKENS // longest))
            yield waiting[:count]
            waiting = waiting[count:]

    def _encode(self, batch: Batch, chosen: Sequence[int]) -> None:
        encodings = self.encoder.encode_documents([batch.passages[i].text for i in chosen])
        if len(encodings) != len(chosen):
            raise InvalidEncoding(f"the encoder returned {len(encodings)} encodings for {len(chosen)} texts")
        batch.vectors.update((i, self._pack(each)) for i, each in zip(chosen, encodings, strict=True))

    def _pack(self, encoding: Encoding) -> Vectors:
        """`dense` and `tokens` in Postgres' binary format."""
        dims, token_type = self.objects.generation.dims, self.objects.generation.token_type
        if token_type == "none":
            encoding = Encoding(encoding.dense)
        dense, tokens = np.asarray(encoding.dense), np.asarray(encoding.tokens)
        if dense.shape != (dims.dense,) or tokens.ndim != 2 or tokens.shape[1] != dims.tokens:
            raise InvalidEncoding(
                f"expected a dense vector of {dims.dense} and tokens of {dims.tokens} dimensions, got shapes"
                f" {dense.shape} and {tokens.shape} (collection {self.objects.collection.name!r})"
            )
        if not (np.isfinite(dense).all() and np.isfinite(tokens).all()):
            raise InvalidEncoding(f"the encoder returned NaN or infinity ({self.objects.collection.name!r})")
        packed = halfvec_array(normalize(tokens), self._oid) if token_type == "halfvec" else bit_array(tokens)
        return halfvec(normalize(dense)), packed

    def _check_same(self, connection: Connection) -> None:
        """Raise FingerprintMismatch if the passages table is another, made anew under the same name.

        That is so when a generation was dropped and its number given to the next. The table is locked: it cannot happen
        any more before what is written is committed.
        """
        if _oid(connection, self.objects) != self._passages_oid:
            raise FingerprintMismatch(f"generation {self.objects.generation.passages} was made anew meanwhile")

    def _replace(self, connection: Connection, batch: Batch, rows: Sequence[int]) -> set[int]:
        """In one transaction: take rows out of the queue and replace their passages."""
        objects = self.objects
        columns = listed(
            [
                objects.key,
                raw("passage, span, content, content_hash, truncated, row_hash, mostly_unknown, dense, tokens"),
            ]
        )
        copy = f"COPY {as_text(objects.write)} ({as_text(columns)}) FROM STDIN (FORMAT BINARY)"
        with connection.transaction():
            # before the queue's rows, which applications may want, and not waiting for an index to be built
            self._lock(connection)
            self._check_same(connection)
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


def _oid(connection: Connection, objects: Objects) -> object:
    return connection.execute(
        "SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid", [objects.passages.as_string(connection)]
    ).fetchone()


@dataclass(frozen=True)
class _Stored:
    row_hash: bytes | None
    hashes: frozenset[bytes]


def halving(
    run: Callable[[Sequence[T]], object],
    items: Sequence[T],
    failed: Callable[[T, Exception], None],
    only: Callable[[Exception], bool] | None = None,
) -> None:
    """Run on all items at once; where that fails, on the halves, until what fails is alone. Other errors are raised."""
    if not items:
        return
    try:
        run(items)
    except Exception as error:
        if only is not None and not only(error):
            raise
        if len(items) == 1:
            failed(items[0], error)
            return
        middle = len(items) // 2
        halving(run, items[:middle], failed, only)
        halving(run, items[middle:], failed, only)


def _of_the_data(error: Exception) -> bool:
    """Tell whether the server refused what a row holds: data exceptions, broken constraints, exceeded limits."""
    return isinstance(error, psycopg.Error) and (error.sqlstate or "")[:2] in ("22", "23", "54")


def _tuple(passage: Passage, vectors: Vectors) -> bytes:
    """One row in the format of COPY BINARY: the number of fields, then each with its size."""
    span = passage.span
    fields = (
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
    return struct.pack(">h", len(fields)) + b"".join(struct.pack(">i", len(part)) + part for part in fields)


def _int4range(start: int, end: int) -> bytes:
    """The range [start, end): a flag byte (2: the lower bound is in it) and both bounds with their sizes."""
    return struct.pack(">Biiii", 2, 4, start, 4, end)
