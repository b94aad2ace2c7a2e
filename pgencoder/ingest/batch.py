"""A claim on its way from keys to passages: plain values, which can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pgencoder.ingest.queue import Claim
from pgencoder.types import Span

BATCH_ROWS = 256

Vectors = tuple[bytes, ...]  # of each representation, one after the other
T = TypeVar("T")


@dataclass(frozen=True)
class NewPassage:
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
    """A claim and what is known of its rows, by their numbers in the claim.

    `gone` rows are deleted, `unchanged` ones have their passages, `replaced` ones have old passages, `left_out` ones
    are too large for this batch. `vectors` are those of passages, by their places in `passages`. `errors` say why rows
    failed, `error` is the last of them without its type. `passages_oid` and `halfvec_oid` are the oids of the passages
    table and of the type `halfvec`.
    """

    claim: Claim
    passages_oid: int
    halfvec_oid: int
    gone: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    replaced: set[int] = field(default_factory=set)
    passages: list[NewPassage] = field(default_factory=list)
    vectors: dict[int, Vectors] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    left_out: set[int] = field(default_factory=set)
    error: str | None = None
    seconds: float = 0.0

    def fail(self, row: int, error: Exception) -> None:
        """Note why a row cannot be encoded."""
        self.error = " ".join(str(error).split())
        self.errors[row] = f"{type(error).__name__}: {self.error}".rstrip()

    def complete(self) -> list[int]:
        """Return the rows that can be written: encoded, unchanged or gone."""
        lacking = {self.passages[i].row for i in range(len(self.passages)) if i not in self.vectors}
        without = lacking | self.left_out | set(self.errors)
        return [row for row in range(len(self.claim.seqs)) if row not in without]


def halving(
    run: Callable[[Sequence[T]], object],
    items: Sequence[T],
    failed: Callable[[T, Exception], None],
    only: Callable[[Exception], bool] | None = None,
) -> None:
    """Run on all items at once; if that fails, on each half, until the item that fails is alone.

    `failed` gets that item and its error. Errors for which `only` returns False are raised.
    """
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
