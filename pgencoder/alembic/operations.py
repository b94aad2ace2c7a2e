"""Alembic operations that attach, reencode and detach collections in the user's migrations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations import MigrateOperation, Operations
from psycopg import errors as pg

from pgencoder import catalog, encoders
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import translate_errors
from pgencoder.db.executor import run
from pgencoder.encoders import DEFAULT_MODEL, Encoder, comparable, model_names
from pgencoder.errors import InvalidRequest
from pgencoder.schema import attach, generations, script
from pgencoder.schema.borrowed import borrowed, pinned
from pgencoder.sqlalchemy.declare import declarations
from pgencoder.types import DEFAULT_LEXICAL, Chunking, Collection, Fingerprint, KeyColumn, TokenType


class declared:
    """Refers to the encoder object that a class declares for a collection: `model=declared("articles")`.

    The object is looked up in the `target_metadata` of `env.py` when the migration runs. Autogenerate writes `digest`,
    which identifies the encoder: the class may declare another one later, for example when a downgrade runs.
    """

    def __init__(self, name: str, digest: str | None = None) -> None:
        self.name = name
        self.digest = digest

    @classmethod
    def of(cls, name: str, fingerprint: Fingerprint) -> declared:
        """Return a reference to the encoder with this fingerprint."""
        text = json.dumps(dict(comparable(fingerprint)), sort_keys=True)
        return cls(name, hashlib.sha256(text.encode()).hexdigest()[:12])

    def __repr__(self) -> str:
        arguments = [self.name] if self.digest is None else [self.name, self.digest]
        return f"pgencoder.alembic.declared({', '.join(map(repr, arguments))})"

    def find(self, operations: Operations) -> Encoder:
        """Return the encoder object; raises InvalidRequest if no class declares it now."""
        metadata = operations.get_context().opts.get("target_metadata")
        for each in declarations(metadata) if metadata is not None else ():
            model = each.encoding.model
            if each.name != self.name or isinstance(model, str):
                continue
            if self.digest not in (None, self.of(self.name, model.fingerprint).digest):
                raise InvalidRequest(
                    f"the class of {self.name!r} now declares {model_names(model.fingerprint)}, and {self} means"
                    f" another encoder; give that encoder as model= here"
                )
            return model
        raise InvalidRequest(
            f"no class in target_metadata declares an encoder object for {self.name!r}; give an encoder as model= here"
        )


Model = str | Encoder | declared


@dataclass(frozen=True)
class Models:
    """The arguments of an operation that name its encoder."""

    model: Model = DEFAULT_MODEL
    token_model: str | None = None
    allow_untrained: bool = False
    sparse_model: str | None = None

    def encoder(self, operations: Operations) -> Encoder:
        """Load the encoder and return it."""
        if isinstance(self.model, declared):
            return self.model.find(operations)
        if isinstance(self.model, str):
            return encoders.shared(
                self.model, self.token_model, sparse_model=self.sparse_model, allow_untrained=self.allow_untrained
            )
        return self.model


@dataclass(frozen=True)
class AttachedTable:
    """The table of a collection; `key` has its key columns and their types, which only scripts need."""

    table: str
    columns: tuple[str, ...]
    schema: str | None = None
    key: Mapping[str, str] | None = None


@Operations.register_operation("attach_encoding")
class AttachEncodingOp(MigrateOperation):
    """Attaches a table as a collection."""

    def __init__(
        self,
        name: str | None,
        source: AttachedTable,
        models: Models,
        tokens: TokenType | None,
        chunking: Chunking,
        lexical: str = DEFAULT_LEXICAL,
        pooling: int = 1,
    ) -> None:
        self.name = name
        self.source = source
        self.models = models
        self.tokens = tokens
        self.chunking = chunking
        self.lexical = lexical
        self.pooling = pooling

    @classmethod
    def attach_encoding(
        cls,
        operations: Operations,
        table: str,
        columns: Sequence[str],
        model: Model = DEFAULT_MODEL,
        *,
        token_model: str | None = None,
        sparse_model: str | None = None,
        schema: str | None = None,
        name: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking = "default",
        lexical: str = DEFAULT_LEXICAL,
        pooling: int = 1,
        allow_untrained: bool = False,
        key: Mapping[str, str] | None = None,
    ) -> None:
        """Attach a table like `Database.attach`, but leave it to workers to queue the existing rows.

        `key` has the key columns and their types as Postgres writes them, such as {"id": "bigint"}. Only `--sql` needs
        it, because it cannot ask the database.
        """
        attach.check_columns(columns)
        source = AttachedTable(table, tuple(columns), schema, key)
        models = Models(model, token_model, allow_untrained, sparse_model)
        operations.invoke(cls(name, source, models, tokens, chunking, lexical, pooling))

    def reverse(self) -> DetachEncodingOp:
        """Return the operation of the downgrade."""
        return DetachEncodingOp(self.name or self.source.table, self)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return the difference, as `alembic check` shows it."""
        return ("attach_encoding", self.name or self.source.table)


@Operations.register_operation("detach_encoding")
class DetachEncodingOp(MigrateOperation):
    """Removes a collection; `attached` is the operation of the downgrade."""

    def __init__(self, name: str, attached: AttachEncodingOp | None = None) -> None:
        self.name = name
        self.attached = attached

    @classmethod
    def detach_encoding(cls, operations: Operations, name: str) -> None:
        """Remove a collection and all its generations; the source table keeps its rows."""
        operations.invoke(cls(name))

    def reverse(self) -> AttachEncodingOp:
        """Return the operation of the downgrade."""
        if self.attached is None:
            raise InvalidRequest(f"cannot reverse detach_encoding({self.name!r}); write attach_encoding in downgrade()")
        return self.attached

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return the difference, as `alembic check` shows it."""
        return ("detach_encoding", self.name)


@Operations.register_operation("reencode")
class ReencodeOp(MigrateOperation):
    """Changes the encoder of a collection; `before` is the operation of the downgrade."""

    def __init__(
        self,
        name: str,
        models: Models,
        tokens: TokenType | None,
        chunking: Chunking | None,
        source: AttachedTable | None,
        before: ReencodeOp | None = None,
        lexical: str | None = None,
        pooling: int | None = None,
    ) -> None:
        self.name = name
        self.models = models
        self.tokens = tokens
        self.chunking = chunking
        self.source = source
        self.before = before
        self.lexical = lexical
        self.pooling = pooling

    @classmethod
    def reencode(
        cls,
        operations: Operations,
        name: str,
        model: Model,
        *,
        token_model: str | None = None,
        sparse_model: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking | None = None,
        lexical: str | None = None,
        pooling: int | None = None,
        allow_untrained: bool = False,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        schema: str | None = None,
        key: Mapping[str, str] | None = None,
    ) -> None:
        """Encode a collection with this model: begin its next generation, which workers encode.

        Searches use the generation after `pgencoder activate`. Nothing begins if there is a generation of this encoder:
        an active one stays active, and one that was active before becomes active again. A generation that is being
        built with another encoder is dropped. `tokens`, `chunking`, `lexical` and `pooling` keep their values unless
        given.

        Only `--sql` needs `table`, `columns` and `key`. The SQL that it prints cannot activate a generation. If one of
        this encoder was active before, as in most downgrades, the script fails and names it; then run `pgencoder
        activate` for it, and run the script again.
        """
        source = None if table is None or columns is None else AttachedTable(table, tuple(columns), schema, key)
        models = Models(model, token_model, allow_untrained, sparse_model)
        operations.invoke(cls(name, models, tokens, chunking, source, lexical=lexical, pooling=pooling))

    def reverse(self) -> ReencodeOp:
        """Return the operation of the downgrade."""
        if self.before is None:
            raise InvalidRequest(f"cannot reverse reencode({self.name!r}); write reencode in downgrade()")
        return self.before

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return the difference, as `alembic check` shows it."""
        return ("reencode", self.name)


@Operations.implementation_for(AttachEncodingOp)
def _attach(operations: Operations, op: AttachEncodingOp) -> None:
    encoder = op.models.encoder(operations)
    if operations.get_context().as_sql:
        name = op.name or op.source.table
        attach.check_name(name)
        collection, vector = _offline(operations, "attach_encoding", name, op.source), _vector(operations)
        words = catalog.lexical_by_name(op.lexical)
        generation = attach.describe(name, 1, "active", encoder, op.tokens, op.chunking, words, pooling=op.pooling)
        parts = Objects(replace(collection, generations=(generation,)), vector)
        _print(operations, script.attach_script(parts))
        return
    with translate_errors():
        connection = borrowed(operations.get_bind())
        source = op.source
        wanted = attach.Wanted(
            source.table,
            source.columns,
            encoder,
            source.schema,
            op.name,
            op.tokens,
            op.chunking,
            lexical=op.lexical,
            pooling=op.pooling,
        )
        parts = attach.plan(connection, wanted)
        try:
            with pinned(connection):
                run(connection, attach.statements(parts))
        except (pg.UniqueViolation, pg.DuplicateTable, pg.DuplicateFunction, pg.DuplicateObject) as error:
            raise attach.exists(parts.collection.name, error) from error


@Operations.implementation_for(DetachEncodingOp)
def _detach(operations: Operations, op: DetachEncodingOp) -> None:
    if operations.get_context().as_sql:
        _print(operations, script.detach_script(op.name))
        return
    with translate_errors():
        connection = borrowed(operations.get_bind())
        with pinned(connection):
            attach.detach(connection, op.name)


@Operations.implementation_for(ReencodeOp)
def _reencode(operations: Operations, op: ReencodeOp) -> None:
    encoder = op.models.encoder(operations)
    if operations.get_context().as_sql:
        collection, vector = _offline(operations, "reencode", op.name, op.source), _vector(operations)
        if op.tokens is None or op.chunking is None:
            raise InvalidRequest(
                f'op.reencode of {op.name!r} needs tokens= and chunking= for --sql: "bit" and "default" as a rule'
            )
        words = catalog.lexical_by_name(op.lexical or DEFAULT_LEXICAL)
        generation = attach.describe(
            op.name, 0, "building", encoder, op.tokens, op.chunking, words, pooling=op.pooling or 1
        )
        operations.get_context().impl.static_output(
            "-- If a generation of this encoder was in use before, this script fails and names it."
            "\n-- Then activate it, and run this script again: pgencoder activate NAME --generation NUMBER"
        )
        _print(operations, script.reencode_script(Objects(collection, vector, generation)))
        return
    with translate_errors():
        connection = borrowed(operations.get_bind())
        with pinned(connection):
            generations.use(connection, op.name, encoder, op.tokens, op.chunking, op.lexical, op.pooling)


def _offline(operations: Operations, what: str, name: str, source: AttachedTable | None) -> Collection:
    """Return the collection that a script is for, from the arguments of the operation."""
    if source is None or not source.key or not all(source.key.values()):
        missing = "key=" if source is not None else "table=, columns= and key="
        raise InvalidRequest(
            f'op.{what} of {name!r} needs {missing} for --sql, which cannot ask the database: key={{"id": "bigint"}}'
        )
    names = catalog.free_names(list(source.key))
    key = []
    for (column, type_), free in zip(source.key.items(), names, strict=True):
        type_, _, collation = type_.partition(" COLLATE ")
        key.append(KeyColumn(column, free, type_, collation))
    schema = source.schema or operations.get_context().dialect.default_schema_name or "public"
    return Collection(name, schema, source.table, tuple(key), source.columns, ())


def _vector(operations: Operations) -> str:
    return str(operations.get_context().opts.get("pgencoder_vector_schema", "public"))


def _print(operations: Operations, statement: str) -> None:
    operations.get_context().impl.static_output(f"{statement};")
