"""The values that calls return: hits, contexts, pairs, reports and states; none of them knows a database or a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgencoder.errors import InvalidRequest
from pgencoder.plain import short_repr
from pgencoder.types import Chunking, Fingerprint, GenerationState, KernelName, Scoring, TokenType

if TYPE_CHECKING:
    from pgencoder.explain.explanation import Explanation


@short_repr
@dataclass(frozen=True)
class Hit:
    """One search result.

    `key` is the primary key of the source row: a value, or a tuple for a composite key. `score` is MaxSim (the
    inner product for the stage "dense"), 0 for a passage without tokens; `recall_rank` is the rank in the first
    stage, from 1 (None without one).
    """

    key: Any
    score: float
    passage: int
    span: tuple[int, int]
    content: str
    recall_rank: int | None
    dense_score: float
    # not a field: what compares, copies or serialises hits should not meet a database in them
    explainer: InitVar[Callable[[Hit], Explanation] | None] = None

    def __post_init__(self, explainer: Callable[[Hit], Explanation] | None) -> None:
        object.__setattr__(self, "_explainer", explainer)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_explainer": None}

    def explain(self) -> Explanation:
        """Why this passage matched: for each word of the query what it matched, where, and how similar it is.

        It is read from the database, now, by the same MaxSim, whatever stage the search ended with. Raises
        Outdated if the passage has changed since the search, and InvalidRequest if this hit is a copy, which lacks its
        search.
        """
        explainer: Callable[[Hit], Explanation] | None = self.__dict__["_explainer"]
        if explainer is None:
            raise InvalidRequest("this hit is a copy, without its search; use db.explain(name, query, key, passage)")
        return explainer(self)


@short_repr
@dataclass(frozen=True)
class Citation:
    """A source of a context: the characters `span` of the content of the row `key`, which are `content`.

    `number` is what the context calls it, from 1; `score` the best score of the passages in it.
    """

    number: int
    key: Any
    span: tuple[int, int]
    content: str
    score: float


@short_repr
@dataclass(frozen=True)
class Context:
    """Passages for a prompt: `text`, of `tokens` tokens, and where each numbered part of it comes from."""

    text: str
    citations: tuple[Citation, ...]
    tokens: int

    def __str__(self) -> str:
        return self.text


@short_repr
@dataclass(frozen=True)
class Pair:
    """Two rows that are similar.

    `key` and `other` are primary keys of the source, as in a `Hit`; `key` comes first in the key's order. `similarity`
    is the cosine of their dense vectors, of their best two passages where there are several.
    """

    key: Any
    other: Any
    similarity: float


@short_repr
@dataclass(frozen=True)
class SyncReport:
    """What one `sync` did.

    `rows` of the source are finished, `unchanged` among them needed no model; `passages` were written. `deleted` rows
    were found gone, `failed` ones are left for another attempt: `error` is what the last of them was refused with, and
    `Database.failed` has all. `index_error` says why the index could not be built. Seconds by activity.
    """

    rows: int = 0
    passages: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: int = 0
    seconds: float = 0.0
    encode_seconds: float = 0.0
    index_built: bool = False
    error: str | None = None
    index_error: str | None = None

    def __add__(self, other: SyncReport) -> SyncReport:
        """Both together; of the errors the later ones."""
        errors = {name: getattr(other, name) or getattr(self, name) for name in ("error", "index_error")}
        counts = (each.name for each in fields(self) if each.name not in errors)
        return SyncReport(**errors, **{name: getattr(self, name) + getattr(other, name) for name in counts})


@short_repr
@dataclass(frozen=True)
class Kernel:
    """Which MaxSim kernel a database uses.

    `version` is that of the extension `pgencoder_native` if the database has it, `simd` the instructions it uses:
    avx512, avx2, neondot, neon or plain. `why` says why this kernel, and what to do to have the other.
    """

    name: KernelName
    version: str | None
    simd: str | None
    why: str

    def scoring(self, tokens: TokenType) -> Scoring:
        """How searches compare a query with tokens of a type: 1-bit tokens with the query's floats, or its bits."""
        if tokens == "none":
            return "none"
        if tokens == "halfvec":
            return "float"
        return "asymmetric" if self.name == "native" else "symmetric"


@short_repr
@dataclass(frozen=True)
class GenerationStatus:
    """How far a generation is.

    `coverage` is the share of the source's rows that are encoded as they are now, None where this role may not count
    them. Keys wait (`queued`, those that failed and will be tried again included), are `in_flight` with a worker, or
    rest as `failed`. `lag_seconds` is the age of the oldest change that is not encoded. `index_error` says why the
    index could not be built, and when that is tried again. Of `unknown_passages` the model knows less than half of the
    tokens, as of a language that it was not made for: they are hardly ever found.
    """

    number: int
    state: GenerationState
    model: str
    token_model: str | None
    tokens: TokenType
    chunking: Chunking
    passages: int
    coverage: float | None
    queued: int
    in_flight: int
    failed: int
    lag_seconds: float
    rows_per_second: float
    indexed: bool
    index_error: str | None = None
    unknown_passages: int = 0


@short_repr
@dataclass(frozen=True)
class CollectionStatus:
    """The state of a collection, as `pgencoder status` shows it; what is not in `generations` is of the active one.

    `problem` says what is wrong with its table or with what was made for it, and what to do; None if nothing is.
    `source_rows` is None where the table is gone, or where this role may not count them.
    """

    name: str
    source: str
    columns: tuple[str, ...]
    generation: int
    model: str
    token_model: str | None
    tokens: TokenType
    chunking: Chunking
    source_rows: int | None
    passages: int
    truncated_rows: int
    queued: int
    indexed: bool
    bytes_per_passage: int | None
    kernel: KernelName
    scoring: Scoring
    generations: tuple[GenerationStatus, ...]
    fingerprint: Fingerprint = field(repr=False)
    problem: str | None = None

    @property
    def active(self) -> GenerationStatus:
        """The generation that searches use."""
        return next(each for each in self.generations if each.state == "active")


@short_repr
@dataclass(frozen=True)
class WorkerStatus:
    """A worker, from its last heartbeat; not `alive` if that was more than 30 seconds ago.

    `rows` and `passages` are since it started, `rows_per_second` is of the last minute. `problem` names generations
    that it cannot work on.
    """

    id: str
    host: str
    pid: int
    alive: bool
    models: Sequence[str]
    device: str | None
    started_at: datetime
    last_seen: datetime
    rows: int
    passages: int
    failures: int
    rows_per_second: float
    problem: str | None


@short_repr
@dataclass(frozen=True)
class FailedRow:
    """A row that could not be encoded; it rests where `retry_at` is None."""

    collection: str
    generation: int
    key: Mapping[str, Any]
    error: str
    attempts: int
    retry_at: datetime | None
    changed_at: datetime


@short_repr
@dataclass(frozen=True)
class ReconcileReport:
    """The result of `reconcile`: rows looked at, and those queued because they were missing, stale or gone.

    `warning` says why changes may still go unseen, such as a trigger that is off; None if they do not.
    """

    rows: int = 0
    missing: int = 0
    stale: int = 0
    orphaned: int = 0
    warning: str | None = field(default=None, compare=False)

    @property
    def queued(self) -> int:
        """How many keys were queued."""
        return self.missing + self.stale + self.orphaned


@short_repr
@dataclass(frozen=True)
class RepairReport:
    """The result of `repair`.

    `problem` is what was wrong, None if nothing was. `keys` are the key columns that follow those of the table now,
    such as "id: integer to bigint". `removed` passages were of another table. `found` is what was compared, and queued.
    """

    problem: str | None
    keys: tuple[str, ...] = ()
    removed: int = 0
    found: ReconcileReport = field(default_factory=ReconcileReport)
