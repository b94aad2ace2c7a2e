"""Drains a queue: claims rows, encodes them outside any transaction, writes their passages.

The rows of a batch are split into passages, sorted by length so that a forward pass pads little, encoded some at a
time, and turned into Postgres' binary format at once: a batch holds packed bits, not float matrices, and memory does
not grow with the table.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pgencoder.db.connection import Connection, vector_schema
from pgencoder.encoders import Encoder, check_fingerprint
from pgencoder.errors import InvalidEncoding
from pgencoder.ingest import queue
from pgencoder.ingest.chunking import Split, splitter
from pgencoder.ingest.objects import Objects, queue_existing
from pgencoder.sql import SCHEMA, as_text, identifier, listed, raw
from pgencoder.types import Collection, Encoding, Span, SyncReport
from pgencoder.vectors import bit_array, halfvec, halfvec_array, halfvec_oids, normalize

BATCH_ROWS = 512
FORWARD_TEXTS = 32
LEASE_SECONDS = 600.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Passage:
    """A passage to be written; `row` is its row's number in the claim."""

    row: int
    number: int
    key: tuple[bytes, ...]
    span: Span
    content: str
    text: str


def sync(
    connection: Connection,
    collection: Collection,
    encoder: Encoder,
    *,
    progress: Progress | None = None,
    batch_rows: int = BATCH_ROWS,
) -> SyncReport:
    """Encode everything that is queued, then build the HNSW index if there is none.

    `progress` is called with the rows done and the rows known to be queued. If encoding fails, the batch is given
    back with the error and the error is raised; what was written before stays.
    """
    generation = collection.generation
    check_fingerprint(
        generation.encoder,
        encoder.fingerprint,
        f"collection {collection.name!r}, generation {generation.number},",
    )
    objects = Objects(collection, vector_schema(connection))
    if not generation.queued:
        queue_existing(connection, objects)
    batch = Batch(connection, objects, encoder)
    started = time.perf_counter()
    report, total = SyncReport(), queue.waiting(connection, objects)
    if progress is not None and total:
        progress(0, total)
    while (claimed := queue.claim(connection, objects, batch_rows, LEASE_SECONDS)).seqs:
        report = batch.run(claimed, report)
        if progress is not None:
            done = report.rows + report.deleted
            total = max(total, done)
            progress(done, total)
    built = build_index(connection, objects)
    return replace(report, seconds=time.perf_counter() - started, index_built=built)


class Batch:
    """Encodes and writes claimed rows of one generation."""

    def __init__(self, connection: Connection, objects: Objects, encoder: Encoder) -> None:
        self.connection = connection
        self.objects = objects
        self.encoder = encoder
        self.split: Split = splitter(encoder, objects.generation.chunking)
        oids = halfvec_oids(connection)
        assert oids is not None, "vector_schema() would have said so"
        self.oid = oids[0]

    def run(self, claimed: queue.Claim, report: SyncReport) -> SyncReport:
        """Encode and write one claim; returns the report with it added."""
        rows = queue.read(self.connection, self.objects, claimed)
        started = time.perf_counter()
        try:
            passages = list(self._passages(rows))
            encoded = self._encode(passages)
        except BaseException as error:  # an interrupt from the keyboard gives the batch back too
            queue.release(self.connection, self.objects, claimed, " ".join(f"{type(error).__name__}: {error}".split()))
            raise
        seconds = time.perf_counter() - started
        finished = self._write(claimed, passages, encoded)
        present = {row.number for row in rows}
        return replace(
            report,
            rows=report.rows + len(finished & present),
            deleted=report.deleted + len(finished - present),
            passages=report.passages + sum(passage.row in finished for passage in passages),
            encode_seconds=report.encode_seconds + seconds,
        )

    def _passages(self, rows: Sequence[queue.Row]) -> Iterator[Passage]:
        truncate = self.objects.generation.chunking == "truncate"
        for row, spans in zip(rows, self.split([row.content for row in rows]), strict=True):
            for number, span in enumerate(spans):
                content = row.content[span.start : span.end]
                # a cut text is given whole: its last word, cut, could have other word pieces
                text = row.content if truncate else content
                yield Passage(row.number, number, row.key, span, content, text)

    def _encode(self, passages: Sequence[Passage]) -> list[tuple[bytes, bytes]]:
        """`dense` and `tokens` of each passage in Postgres' binary format."""
        encoded: list[tuple[bytes, bytes]] = [(b"", b"")] * len(passages)
        by_length = sorted(range(len(passages)), key=lambda i: len(passages[i].text), reverse=True)
        for start in range(0, len(by_length), FORWARD_TEXTS):
            chosen = by_length[start : start + FORWARD_TEXTS]
            encodings = self.encoder.encode_documents([passages[i].text for i in chosen])
            if len(encodings) != len(chosen):
                raise InvalidEncoding(f"the encoder returned {len(encodings)} encodings for {len(chosen)} texts")
            for i, encoding in zip(chosen, encodings, strict=True):
                encoded[i] = self._pack(encoding)
        return encoded

    def _pack(self, encoding: Encoding) -> tuple[bytes, bytes]:
        dims = self.objects.generation.dims
        dense, tokens = np.asarray(encoding.dense), np.asarray(encoding.tokens)
        if dense.shape != (dims.dense,) or tokens.ndim != 2 or tokens.shape[1] != dims.tokens:
            raise InvalidEncoding(
                f"expected a dense vector of {dims.dense} and tokens of {dims.tokens} dimensions, got shapes"
                f" {dense.shape} and {tokens.shape} (collection {self.objects.collection.name!r})"
            )
        if not (np.isfinite(dense).all() and np.isfinite(tokens).all()):
            raise InvalidEncoding(f"the encoder returned NaN or infinity ({self.objects.collection.name!r})")
        packed = (
            bit_array(tokens)
            if self.objects.generation.token_type == "bit"
            else halfvec_array(normalize(tokens), self.oid)
        )
        return halfvec(normalize(dense)), packed

    def _write(
        self, claimed: queue.Claim, passages: Sequence[Passage], encoded: Sequence[tuple[bytes, bytes]]
    ) -> set[int]:
        columns = listed([self.objects.key, raw("passage, span, content, content_hash, truncated, dense, tokens")])
        copy = f"COPY {as_text(self.objects.passages)} ({as_text(columns)}) FROM STDIN (FORMAT BINARY)"
        with self.connection.transaction():
            finished = queue.finish(self.connection, self.objects, claimed)
            with self.connection.cursor().copy(copy.encode()) as stream:
                stream.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
                for passage, vectors in zip(passages, encoded, strict=True):
                    if passage.row in finished:
                        stream.write(_tuple(passage, vectors))
                stream.write(struct.pack(">h", -1))
        return finished


def build_index(connection: Connection, objects: Objects) -> bool:
    """Build the HNSW index on `dense` unless it is there; after the rows, which is several times faster."""
    generation = objects.generation
    row = connection.execute(
        "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text)) IS NOT NULL", [SCHEMA, generation.index]
    ).fetchone()
    if row is not None and row[0]:
        return False
    with connection.transaction():
        # the graph is built in memory as long as it fits
        size = connection.execute(
            b"SELECT greatest(64, least(1024, count(*) * %d / 1048576)) FROM %s"
            % (generation.dims.dense * 2 + 512, objects.passages.as_bytes(connection))
        ).fetchone()
        assert size is not None
        connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", [f"{size[0]}MB"])
        connection.execute(objects.text("create_index", index=identifier(generation.index)).encode())
        connection.execute(b"ANALYZE " + objects.passages.as_bytes(connection))
    return True


def _tuple(passage: Passage, vectors: tuple[bytes, bytes]) -> bytes:
    """One row in the format of COPY BINARY: the number of fields, then each with its size."""
    span = passage.span
    text = passage.content.encode()
    fields = (
        *passage.key,
        struct.pack(">i", passage.number),
        _int4range(span.start, span.end),
        text,
        hashlib.sha256(text).digest(),
        struct.pack(">?", span.truncated),
        *vectors,
    )
    return struct.pack(">h", len(fields)) + b"".join(struct.pack(">i", len(field)) + field for field in fields)


def _int4range(start: int, end: int) -> bytes:
    """The range [start, end): a flag byte (2: the lower bound is in it) and both bounds with their sizes."""
    return struct.pack(">Biiii", 2, 4, start, 4, end)
