"""Makes and removes collections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.names import OF_GENERATION
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.executor import Executor, run
from pgencoder.db.locks import lock_collection
from pgencoder.encoders import Encoder, model_names, same_encoder
from pgencoder.errors import CollectionExists, InvalidRequest, InvalidSource
from pgencoder.ingest import backfill, queue
from pgencoder.progress import Progress
from pgencoder.representations import Lexical, Representation, Sparse, beside, check_known, in_order, of_encoder
from pgencoder.representations.pooling import check_pooling
from pgencoder.schema import functions, policy, roles, search, tables, triggers, view
from pgencoder.schema.dependents import named_dependents
from pgencoder.statements import Part
from pgencoder.types import (
    CHUNKINGS,
    DEFAULT_LEXICAL,
    TOKEN_TYPES,
    Chunking,
    Collection,
    Generation,
    GenerationState,
    TokenType,
)

MOST_DIMS = 4_000  # of a vector that pgvector can index

# With the longest suffix of ours a name stays within the 63 bytes of an identifier
LONGEST_NAME = 40
# Columns inside a search, and the index of the primary key
_OF_SEARCH = re.compile(r"k\d+|distance|\w+_(distance|rank|score|terms|asked)|done|pkey")
LEXICAL = "lexical"  # `<name>_lexical` serves one


@dataclass(frozen=True)
class Wanted:
    """A collection that is asked for: `columns` of a `table`, by an `encoder`; see `Database.attach`."""

    table: str
    columns: Sequence[str]
    encoder: Encoder
    schema: str | None = None
    name: str | None = None
    tokens: TokenType | None = None
    chunking: Chunking = "default"
    representations: Sequence[Representation] = ()
    lexical: str | None = None
    pooling: int = 1


def attach(connection: Connection, wanted: Wanted, *, exist_ok: bool = False, progress: Progress | None = None) -> int:
    """Make a collection of a table and queue its rows; returns their number.

    The triggers are committed before the rows are queued. So writers wait only while the triggers are made, and no
    change is lost between the two. With `exist_ok` a collection that is already as wanted stays as it is; rows that an
    interrupted attach has left are queued.
    """
    parts = plan(connection, wanted)
    try:
        with connection.transaction():
            run(connection, statements(parts))
    except (pg.UniqueViolation, pg.DuplicateTable, pg.DuplicateFunction, pg.DuplicateObject) as error:
        there = [each for each in catalog.collections(connection) if each.name == parts.collection.name]
        differing = _differing(parts.collection, there[0], wanted) if there else []
        if not (exist_ok and there) or differing:
            raise exists(parts.collection.name, error, differing) from error
        catalog.check_problem(connection, there[0].name)
        parts = Objects(there[0], parts.vector_schema)
    return backfill.queue_existing(connection, parts, progress)


def plan(executor: Executor, wanted: Wanted) -> Objects:
    """Describe the collection that a table would become; raises errors for what cannot be attached."""
    check_columns(wanted.columns)
    source = catalog.find_source(executor, wanted.table, wanted.schema)
    unknown = [column for column in wanted.columns if column not in source.columns]
    if unknown:
        raise InvalidSource(f"table {source.table!r} has no column {unknown[0]!r}; it has: {', '.join(source.columns)}")
    for column in wanted.columns:
        if column in source.virtual:
            raise InvalidSource(
                f"column {column!r} is generated and not stored, so triggers do not see it change; make it STORED, or"
                " attach the columns that it is made of"
            )
    name = source.table if wanted.name is None else wanted.name
    check_name(name)
    others = tuple(wanted.representations)
    if not any(isinstance(each, Lexical) for each in others):
        others += catalog.lexical(executor, DEFAULT_LEXICAL if wanted.lexical is None else wanted.lexical)
    generation = describe(
        name, 1, "active", wanted.encoder, wanted.tokens, wanted.chunking, others, pooling=wanted.pooling
    )
    for each in {column.name for column in source.key} & {each.name for each in wanted.representations}:
        raise InvalidRequest(f"a column of the key is called {each!r}; give the representation another name")
    made = Collection(name, source.schema, source.table, source.key, tuple(wanted.columns), (generation,))
    return Objects(made, vector_schema(executor))


def statements(parts: Objects) -> list[Part]:
    """Return the statements that make everything of a new collection; they do not queue its rows."""
    return [
        *catalog.add(parts.collection),
        sql.SQL("SELECT pgencoder._check_free({}, NULL)").format(parts.name),
        tables.create(parts),
        *functions.create(parts, [parts.generation]),
        policy.create(parts),
        *triggers.create(parts),
        *search.create(parts),
        *view.create(parts),
        queue.check_readable(parts),
        roles.grant(parts),
    ]


def exists(name: str, cause: Exception | None = None, differing: Sequence[str] = ()) -> CollectionExists:
    """Make the error for a name that is taken: by a collection that differs, or by another object."""
    if isinstance(cause, pg.DuplicateObject):
        return CollectionExists(f"{str(cause).splitlines()[0]}; give another name (--name)")
    other = f" that differs in {', '.join(differing)}" if differing else ""
    encoded = differing and not {"table", "columns", "representations"} & set(differing)
    how = f"to encode it so, run: pgencoder reencode {name}" if encoded else "detach it first"
    return CollectionExists(f"there is already a collection {name!r}{other}; {how}, or give another name (--name)")


def _differing(made: Collection, there: Collection, wanted: Wanted) -> list[str]:
    """List in what a collection differs from the one that is wanted; of its generations the active one counts."""
    new, old = made.generation, there.generation
    same = {
        "table": (made.source_schema, made.source_table) == (there.source_schema, there.source_table),
        "columns": made.columns == there.columns,
        "model": same_encoder(new.encoder, old.encoder),
        "tokens": new.token_type == old.token_type,
        "pooling": new.pooling == old.pooling,
        "lexical": wanted.lexical is None or new.lexical == old.lexical,
        "representations": _of_users(new.representations) == _of_users(old.representations),
        "chunking": new.chunking == old.chunking,
    }
    return [name for name, is_same in same.items() if not is_same]


def _of_users(representations: Sequence[Representation]) -> list[Representation]:
    return [each for each in beside(representations) if each.name != LEXICAL]


def detach(connection: Executor, name: str) -> None:
    """Remove a collection and all its objects; the source keeps its rows."""
    with named_dependents(then=f"drop that first, and run again: pgencoder detach {name}"), connection.transaction():
        lock_collection(connection, name)
        catalog.collection(connection, name)
        connection.execute("SELECT pgencoder.detach(%s)", [name])


def check_choices(tokens: str, chunking: str) -> None:
    """Raise InvalidRequest unless both are one of the choices."""
    if tokens not in TOKEN_TYPES:
        raise InvalidRequest(f"tokens must be one of {', '.join(TOKEN_TYPES)}, got {tokens!r}")
    if chunking not in CHUNKINGS:
        raise InvalidRequest(f"chunking must be one of {', '.join(CHUNKINGS)}, got {chunking!r}")


def describe(
    name: str,
    number: int,
    state: GenerationState,
    encoder: Encoder,
    tokens: TokenType | None,
    chunking: Chunking,
    others: Sequence[Representation] = (),
    *,
    pooling: int = 1,
) -> Generation:
    """Describe a new generation; `tokens` None is "bit" for an encoder with token vectors, else "none".

    `others` are representations that are stored beside the vectors. The fingerprint is that of the whole encoder, even
    where its token vectors are not stored: it encodes queries.
    Raises InvalidRequest for a choice that does not exist, or does not fit the encoder.
    """
    if tokens is None:
        tokens = "bit" if encoder.dims.tokens else "none"
    check_choices(tokens, chunking)
    check_pooling(pooling)
    check_beside(others)
    if encoder.dims.tokens and not encoder.dims.dense:
        raise InvalidRequest(
            f"{model_names(encoder.fingerprint)} makes token vectors and no dense ones, which recall the passages that"
            " are compared by tokens; give an encoder with both"
        )
    if not encoder.dims.dense and not encoder.dims.sparse and not others:
        raise InvalidRequest(
            f"model {model_names(encoder.fingerprint)!r} makes no vectors, and no words are to be stored: say how words"
            " are split, lexical='english' (--lexical english), or give a model"
        )
    if encoder.dims.dense > MOST_DIMS:
        raise InvalidRequest(
            f"{model_names(encoder.fingerprint)} gives vectors of {encoder.dims.dense:,} dimensions, but pgvector"
            f" indexes at most {MOST_DIMS:,}; give a model with fewer, or have it shorten them"
        )
    if tokens == "none":
        if pooling != 1:
            raise InvalidRequest(f"pooling={pooling} pools token vectors, and tokens='none' stores none")
        if (token_model := encoder.fingerprint.get("token_model")) is not None:
            raise InvalidRequest(
                f"tokens='none' does not store what {token_model} makes; say tokens='bit' (--tokens bit), or give the"
                f" model alone: {encoder.fingerprint.get('model')}"
            )
    elif not encoder.dims.tokens:
        raise InvalidRequest(
            f"{model_names(encoder.fingerprint)} gives no token vectors to store as {tokens!r}; say tokens='none'"
            " (--tokens none), or give a model that has them"
        )
    stored = in_order((*of_encoder(encoder.dims, tokens, pooling), *others))
    return Generation(name, number, state, encoder.fingerprint, stored, chunking, queued=False)


def check_beside(others: Sequence[Representation]) -> None:
    """Raise InvalidRequest for representations whose names are taken, and UnknownRepresentation for unknown ones."""
    check_known(tuple(others))
    names = [each.name for each in others]
    for each in others:
        if (each.name == LEXICAL) != isinstance(each, Lexical):
            raise InvalidRequest(f"what is stored for words is called {LEXICAL!r}, and nothing else is")
        if isinstance(each, Sparse):
            raise InvalidRequest("sparse vectors are stored for an encoder that makes them; give a sparse_model")
    for name in names:
        if name in catalog.TAKEN - {LEXICAL} or name in OF_GENERATION or _OF_SEARCH.fullmatch(name):
            raise InvalidRequest(f"a representation cannot be called {name!r}: pgencoder uses that name itself")
        if names.count(name) > 1:
            raise InvalidRequest(f"two representations are called {name!r}; give each a name that no other has")


def check_columns(columns: Sequence[str]) -> None:
    """Raise InvalidRequest unless `columns` is a list of different names."""
    if isinstance(columns, str) or not columns:
        raise InvalidRequest('columns must name at least one column, as a list: columns=["title", "body"]')
    if twice := {column for column in columns if columns.count(column) > 1}:
        raise InvalidRequest(
            f"columns name {', '.join(map(repr, sorted(twice)))} more than once; name each column once"
        )


def check_name(name: str) -> None:
    """Raise InvalidRequest for a name that is too long or empty."""
    length = len(name.encode())
    if not 0 < length <= LONGEST_NAME:
        raise InvalidRequest(
            f"a collection's name has 1 to {LONGEST_NAME} bytes, {name!r} has {length}; give another name (--name)"
        )
