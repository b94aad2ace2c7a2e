"""Encodes the passages of a batch, without a database.

Passages are sorted by length, so that a forward pass pads little. They are encoded a few at a time and turned into
Postgres' binary format at once: a batch holds packed bits and no float matrices.
A text that cannot be encoded is found by halving; the others are encoded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence

from pgencoder.catalog.objects import Objects
from pgencoder.encoders import Encoder
from pgencoder.errors import EncoderUnavailable, InvalidEncoding
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.chunking import longest
from pgencoder.representations.shapes import check_encoding

FORWARD_TEXTS = 32
FORWARD_TOKENS = 16_384  # texts of a forward pass times the tokens of the longest


class BatchEncoder:
    """Encodes batches of one generation."""

    def __init__(self, objects: Objects, encoder: Encoder) -> None:
        self.objects = objects
        self.encoder = encoder
        self._length = longest(encoder)

    def steps(self, batch: Batch) -> Iterator[None]:
        """Encode the passages that have no vectors yet; yield before each forward pass.

        Raises EncoderUnavailable; the passages that were encoded before keep their vectors.
        """
        waiting = deque(self._forward_passes(batch))
        while waiting:
            chosen = [i for i in waiting.popleft() if batch.passages[i].row not in batch.errors]
            if not chosen:
                continue
            yield
            started = time.perf_counter()
            try:
                self._encode(batch, chosen)
            except EncoderUnavailable:
                raise  # no row is to blame
            except Exception as error:
                if len(chosen) == 1:
                    batch.fail(batch.passages[chosen[0]].row, error)
                else:
                    middle = len(chosen) // 2
                    waiting.extendleft([chosen[middle:], chosen[:middle]])
            batch.seconds += time.perf_counter() - started

    def _forward_passes(self, batch: Batch) -> Iterator[list[int]]:
        """Yield the passages to encode, longest first, as many at a time as a forward pass takes."""
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
        generation, name = self.objects.generation, self.objects.collection.name
        for i, encoding in zip(chosen, encodings, strict=True):
            checked = check_encoding(encoding, generation.dims, name)
            content = batch.passages[i].content
            batch.vectors[i] = tuple(
                part for each in generation.representations for part in each.pack(checked, content, batch.halfvec_oid)
            )
