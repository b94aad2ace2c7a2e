"""The values that travel between the rooms: collections, generations, encodings. None knows a database or a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pgvector import SparseVector

from pgencoder.errors import InvalidRequest
from pgencoder.plain import short_repr

if TYPE_CHECKING:
    from pgencoder.representations.base import Representation

Matrix = NDArray[np.floating[Any]]
Fingerprint = Mapping[str, Any]
TokenType = Literal["bit", "halfvec", "none"]
Chunking = Literal["default", "truncate"]
Group = Literal["passage", "document"]
Stage = Literal["dense", "lexical", "sparse", "maxsim", "fused", "rrf", "exhaustive"]
FusionName = Literal["zscore", "rrf", "dense", "lexical", "sparse", "maxsim"]
Order = Literal["score", "document"]
GenerationState = Literal["building", "active", "retired"]
KernelName = Literal["sql", "native"]
PairMethod = Literal["auto", "exact", "ann"]
Scoring = Literal["float", "asymmetric", "symmetric", "none"]

TOKEN_TYPES: tuple[TokenType, ...] = get_args(TokenType)
CHUNKINGS: tuple[Chunking, ...] = get_args(Chunking)
GROUPS: tuple[Group, ...] = get_args(Group)
STAGES: tuple[Stage, ...] = get_args(Stage)
FUSIONS: tuple[FusionName, ...] = get_args(FusionName)
PAIR_METHODS: tuple[PairMethod, ...] = get_args(PairMethod)

# How words are stored, unless it is said: the default model is of English texts too. Not as the server splits words by
# default, because that is not the same everywhere, and a script that Alembic prints cannot ask.
DEFAULT_LEXICAL = "english"

# How many of the best hits a cross-encoder reads, unless it is said
RERANK_TOP = 50

# Type names, as the server spells them, that mean the same with every search path: keywords, and names with a schema.
# The server reads this expression too.
FULL_TYPE = (
    r"^(?:bit|boolean|character|double|integer|bigint|smallint|interval|numeric|real|time|timestamp)(?![a-z0-9_])|[.]"
)


@short_repr
@dataclass(frozen=True)
class Dims:
    """The dimensions of the dense vector, of one token vector, and of the sparse vector; 0 where there is none."""

    dense: int
    tokens: int
    sparse: int = 0


@short_repr
@dataclass(frozen=True)
class Encoding:
    """The vectors of one text: `dense` of shape (dense dims,), `tokens` of shape (n, token dims).

    Rows need not be normalised; they are stored and searched with length 1. An encoder without token vectors leaves
    `tokens` out. `text` is the words of a query, which a search by words needs. `sparse` has the weights of a sparse
    model, of at least 0; None without such a model.
    """

    dense: Matrix
    tokens: Matrix = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    text: str = field(default="", repr=False)
    sparse: SparseVector | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        tokens: Any = self.tokens
        if tokens is None:  # encoders of users may say so that they have none
            object.__setattr__(self, "tokens", np.empty((0, 0), dtype=np.float32))


@short_repr
@dataclass(frozen=True)
class Span:
    """A passage of a row's content: its characters [start, end), and True if the content after it is cut off."""

    start: int
    end: int
    truncated: bool = False


@short_repr
@dataclass(frozen=True)
class KeyColumn:
    """A primary key column of the source, and its name, type and collation in the passages table.

    `type` has the server's spelling. `collation` is a quoted name, empty for the default of the type.
    """

    source: str
    name: str
    type: str
    collation: str

    @property
    def full_type(self) -> str:
        """The type by a name that means the same with every search path."""
        return self.type if re.search(FULL_TYPE, self.type) else f"pg_catalog.{self.type}"

    @property
    def enum(self) -> bool:
        """True for an enum: the only types with a schema in their name that a key may have."""
        return "." in self.type


@short_repr
@dataclass(frozen=True)
class Collection:
    """A source table, the columns to encode, and its generations; searches use the active one."""

    name: str
    source_schema: str
    source_table: str
    key: tuple[KeyColumn, ...] = field(repr=False)
    columns: tuple[str, ...]
    generations: tuple[Generation, ...]

    @property
    def generation(self) -> Generation:
        """The active generation."""
        return next(each for each in self.generations if each.state == "active")


@short_repr
@dataclass(frozen=True)
class Generation:
    """One physical encoding of a collection by one encoder.

    `representations` are what is stored of each passage, in the order of their names. `queued` is True when all the
    rows that were there before the generation are queued.
    """

    collection: str
    number: int
    state: GenerationState
    encoder: Fingerprint
    representations: tuple[Representation, ...]
    chunking: Chunking
    queued: bool

    @property
    def dims(self) -> Dims:
        """The dimensions of the vectors that are stored."""
        stored = {each.name: each.dims for each in self.representations}
        return Dims(stored.get("dense", 0), stored.get("tokens", 0), stored.get("sparse", 0))

    @property
    def stored(self) -> frozenset[str]:
        """The names of the representations."""
        return frozenset(each.name for each in self.representations)

    @property
    def token_type(self) -> TokenType:
        """The storage of token vectors; "none" where there is none."""
        kinds: dict[str, Any] = {each.name: each.kind for each in self.representations}
        return kinds.get("tokens", "none")  # type: ignore[no-any-return]

    @property
    def pooling(self) -> int:
        """The number of tokens, on average, that one stored vector stands for; 1 without pooling."""
        return next((int(each.options.get("pooling", 1)) for each in self.representations if each.name == "tokens"), 1)

    @property
    def lexical(self) -> str:
        """The configuration by which words are stored, without the schema of Postgres; "none" where there are none."""
        for each in self.representations:
            if each.name == "lexical":
                return str(each.options["configuration"]).removeprefix("pg_catalog.")
        return "none"

    @property
    def passages(self) -> str:
        """Name of the passages table, in schema `pgencoder`."""
        return f"{self.collection}_{self.number}"

    @property
    def queue(self) -> str:
        """Name of the queue, in schema `pgencoder`."""
        return f"{self.passages}_queue"

    @property
    def indexes(self) -> tuple[str, ...]:
        """Names of the indexes that recall, in schema `pgencoder`."""
        return tuple(f"{self.passages}_{each.name}" for each in self.representations if each.indexed)

    @property
    def index(self) -> str:
        """Names of these indexes, for messages."""
        return ", ".join(self.indexes)


def check_count(name: str, value: Any) -> None:
    """Raise InvalidRequest unless the server can take the value as a number of rows; `name` is the argument's."""
    if not isinstance(value, Integral) or value is True or not 1 <= int(value) < 2**31:
        raise InvalidRequest(f"{name} must be an integer of at least 1 that fits 32 bits, got {value!r}")
