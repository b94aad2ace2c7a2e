"""The values that calls return: hits, contexts, pairs, reports and statuses. None knows a database or a model."""

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
class Part:
    """One of the scores of a hit, and its rank among the candidates, from 1; None for a score that there is not."""

    score: float | None
    rank: int | None


@short_repr
@dataclass(frozen=True)
class Hit:
    """One search result.

    `key` is the primary key of the source row: a value, or a tuple for a composite key. `score` is what it is ranked
    by: of a fusion the weighted mean, else MaxSim, BM25 or the inner product, and 0 for a passage without tokens.
    `relevance` is the same as a number between 0 and 1 that can be compared between queries, None if there is none.
    `recall_rank` is the rank in the first stage, from 1; None if there was no first stage. `parts` are all scores that
    were computed, by "dense", "lexical", "sparse" and "maxsim".
    """

    key: Any
    score: float
    passage: int
    span: tuple[int, int]
    content: str
    recall_rank: int | None
    dense_score: float | None
    relevance: float | None = None
    parts: Mapping[str, Part] = field(default_factory=dict, hash=False)
    # not a field, so that comparing, copying or serialising a hit does not touch a database
    explainer: InitVar[Callable[[Hit], Explanation] | None] = None

    def __post_init__(self, explainer: Callable[[Hit], Explanation] | None) -> None:
        object.__setattr__(self, "_explainer", explainer)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_explainer": None}

    def explain(self) -> Explanation:
        """Explain why this passage matched: what each word of the query matched, where, and how similar the two are.

        This reads the database now and compares by MaxSim, whatever the stage of the search was. Raises Outdated if
        the passage has changed since the search, and InvalidRequest if this hit is a copy, which lacks its search.
        """
        explainer: Callable[[Hit], Explanation] | None = self.__dict__["_explainer"]
        if explainer is None:
            raise InvalidRequest("this hit is a copy, without its search; use db.explain(name, query, key, passage)")
        return explainer(self)


@short_repr
@dataclass(frozen=True)
class Citation:
    """A source of a context: `content`, which is the characters `span` of the content of the row `key`.

    `number` is its number in the context, from 1. `score` is the best score of the passages in it.
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
    is the cosine of their dense vectors: of the two passages that are the most similar, if there are several.
    """

    key: Any
    other: Any
    similarity: float


@short_repr
@dataclass(frozen=True)
class SyncReport:
    """The result of one `sync`.

    `rows` of the source are finished; `unchanged` of them needed no model. `passages` were written. `deleted` rows were
    gone. `failed` rows wait for another attempt: `error` is the last error, and `Database.failed` has all.
    `index_error` says why the index could not be built. `seconds` is the whole time, `encode_seconds` the model's.
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
        """Add up the counts of both; of the errors the later ones stay."""
        errors = {name: getattr(other, name) or getattr(self, name) for name in ("error", "index_error")}
        counts = (each.name for each in fields(self) if each.name not in errors)
        return SyncReport(**errors, **{name: getattr(self, name) + getattr(other, name) for name in counts})


@short_repr
@dataclass(frozen=True)
class Kernel:
    """The MaxSim kernel that a database uses.

    `version` is that of the extension `pgencoder_native`, if the database has it. `simd` names the instructions that it
    uses: avx512, avx2, neondot, neon or plain. `why` says why this kernel is used, and how to get the other.
    """

    name: KernelName
    version: str | None
    simd: str | None
    why: str

    def scoring(self, tokens: TokenType) -> Scoring:
        """Return how searches compare a query with stored tokens: 1-bit ones with the query's floats or its bits."""
        if tokens == "none":
            return "none"
        if tokens == "halfvec":
            return "float"
        return "asymmetric" if self.name == "native" else "symmetric"


@short_repr
@dataclass(frozen=True)
class GenerationStatus:
    """The state of a generation.

    `coverage` is the share of the source's rows that are encoded as they are now; None if this role may not count
    them. `queued` keys wait, also those that failed and will be tried again. `in_flight` keys are with a worker.
    `failed` keys rest. `lag_seconds` is the age of the oldest change that is not encoded. `index_error` says why the
    index could not be built, and when the next attempt is. Of `unknown_passages` the model knows less than half of the
    tokens, for example because they are in a language that it was not made for: searches hardly ever find them.
    `lexical` is the configuration by which words are stored, "none" where there are none.
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
    pooling: int = 1
    lexical: str = "none"
    sparse_model: str | None = None


@short_repr
@dataclass(frozen=True)
class CollectionStatus:
    """The state of a collection, as `pgencoder status` shows it; fields outside `generations` are of the active one.

    `problem` says what is wrong with its table or with the objects made for it, and what to do; None if nothing is.
    `source_rows` is None if the table is gone, or if this role may not count its rows.
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
    sparse_model: str | None = None

    @property
    def active(self) -> GenerationStatus:
        """The generation that searches use."""
        return next(each for each in self.generations if each.state == "active")


@short_repr
@dataclass(frozen=True)
class WorkerStatus:
    """The state of a worker at its last heartbeat; it is not `alive` if that was more than 30 seconds ago.

    `rows` and `passages` count from its start, `rows_per_second` is that of the last minute. `problem` names the
    generations that it cannot work on.
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
    """A row that could not be encoded; if `retry_at` is None it rests until it changes."""

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
    """The result of `reconcile`: how many rows were compared, and how many were queued.

    `missing` rows had no passages, `stale` ones had passages of an older content, and of `orphaned` ones the row was
    gone. `warning` says why changes may still go unseen, such as a trigger that is off; None if they do not.
    """

    rows: int = 0
    missing: int = 0
    stale: int = 0
    orphaned: int = 0
    warning: str | None = field(default=None, compare=False)

    @property
    def queued(self) -> int:
        """The number of queued keys."""
        return self.missing + self.stale + self.orphaned


@short_repr
@dataclass(frozen=True)
class RepairReport:
    """The result of `repair`.

    `problem` says what was wrong; None if nothing was. `keys` says which key columns have the type of the table's now,
    such as "id: integer to bigint". `removed` passages belonged to another table. `found` says how many rows were
    compared and queued.
    """

    problem: str | None
    keys: tuple[str, ...] = ()
    removed: int = 0
    found: ReconcileReport = field(default_factory=ReconcileReport)
