"""Reads the encoding that a mapped class declares, and keeps it with the table in `MetaData.info`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapper, registry

from pgencoder import encoders, types
from pgencoder.encoders import DEFAULT_MODEL, HTTP, NO_MODEL, SENTENCE_TRANSFORMERS, Encoder, canonical, same_encoder
from pgencoder.errors import EncoderError, InvalidRequest
from pgencoder.schema.attach import check_choices, check_columns, check_name
from pgencoder.types import Chunking, Collection, Fingerprint, Generation, TokenType

INFO = "pgencoder"

Classes = type[DeclarativeBase] | registry | Iterable[type[Any]]


@dataclass(frozen=True)
class EncodedColumns:
    """Declares how a mapped class is encoded: `__encoding__ = EncodedColumns(columns=["title", "body"])` in its body.

    `columns` are mapped attributes or column names of the table; they are encoded together. `model` is a Sentence-BERT
    checkpoint, a model of a service ("openai:NAME") or an `Encoder`. `token_model` is a second checkpoint for the token
    vectors, `sparse_model` one for sparse vectors. `name` is the name of the collection; the default is the table's
    name. Without `tokens` the collection keeps its type of tokens, and a new one gets the type that `Database.attach`
    chooses; the same holds for `pooling` and for `lexical`, the configuration of its words. `passages` names the
    relationship to the passages; None makes no relationship.

    An `__encoding__` of another type, such as "utf-8", is ignored. It raises InvalidRequest only if it looks like a
    mistake: the name of an attribute, a list, a dict, or an encoded text.
    """

    columns: Sequence[str]
    model: str | Encoder = DEFAULT_MODEL
    token_model: str | None = None
    name: str | None = None
    tokens: TokenType | None = None
    chunking: Chunking = "default"
    allow_untrained: bool = False
    passages: str | None = "passages"
    lexical: str | None = None
    pooling: int | None = None
    sparse_model: str | None = None

    def __post_init__(self) -> None:
        check_columns(self.columns)
        check_choices(self.tokens or "bit", self.chunking)
        object.__setattr__(self, "columns", tuple(self.columns))

    def encoder(self) -> Encoder:
        """Load the encoder and return it."""
        if not isinstance(self.model, str):
            return self.model
        return encoders.shared(
            self.model, self.token_model, sparse_model=self.sparse_model, allow_untrained=self.allow_untrained
        )

    def fits(self, generation: Generation) -> bool:
        """Return True if a generation is encoded as declared here; loads the model only if its name does not tell."""
        return (
            self.tokens in (None, generation.token_type)
            and self.chunking == generation.chunking
            and self._has_words(generation.lexical)
            and self.pooling in (None, generation.pooling)
            and self._is_of(generation.encoder)
        )

    def _has_words(self, configuration: str) -> bool:
        if self.lexical == "default":
            return configuration != "none"
        return self.lexical is None or self.lexical.removeprefix("pg_catalog.") == configuration

    def _is_of(self, fingerprint: Fingerprint) -> bool:
        if not isinstance(self.model, str):
            return same_encoder(self.model.fingerprint, fingerprint)
        if NO_MODEL in (self.model, fingerprint.get("encoder")):
            return self.model == fingerprint.get("model")
        if fingerprint.get("encoder") not in (SENTENCE_TRANSFORMERS, HTTP):
            return False
        names = [name and canonical(name) for name in (self.model, self.token_model, self.sparse_model)]
        stored = [fingerprint["model"], fingerprint["token_model"], fingerprint.get("sparse_model")]
        if names == stored:
            return True
        # another directory may have the same weights
        if not any(name is not None and Path(name).is_absolute() for name in names + stored):
            return False
        try:
            return same_encoder(self.encoder().fingerprint, fingerprint)
        except EncoderError:
            return False


@dataclass(frozen=True)
class Declared:
    """A collection as a mapped class declares it; `key` has the types of the key columns by name."""

    name: str
    table: str
    schema: str | None
    columns: tuple[str, ...]
    key: Mapping[str, str] = field(hash=False)
    encoding: EncodedColumns

    def is_of(self, collection: Collection, default_schema: str | None) -> bool:
        """Return True if a collection is of this table and these columns; without a schema the default one counts."""
        return (self.schema or default_schema, self.table, self.columns) == (
            collection.source_schema,
            collection.source_table,
            collection.columns,
        )


def declarations(declared: Classes | sa.MetaData | Sequence[sa.MetaData]) -> list[Declared]:
    """Return what the mapped classes of a base, registry or metadata declare.

    Raises InvalidRequest if two classes declare collections of the same name.
    """
    found: dict[str, Declared] = {}
    for table in dict.fromkeys(_tables(declared)):
        for each in _noted(table):
            if each.name in found:
                raise InvalidRequest(
                    f"two classes declare a collection {each.name!r}; give one a name: EncodedColumns(..., name=...)"
                )
            found[each.name] = each
    return list(found.values())


def is_declaration(mapper: Mapper[Any], encoding: Any) -> bool:
    """Return True if `__encoding__` of a class is for us, right or wrong; others use that name too, as for "utf-8"."""
    if isinstance(encoding, str):
        return encoding in mapper.columns
    return encoding is EncodedColumns or isinstance(encoding, EncodedColumns | types.Encoding | Mapping | list | tuple)


def is_inherited(mapper: Mapper[Any]) -> bool:
    """Return True if a class has its declaration from its parent class, for the same rows."""
    parent = mapper.inherits
    encoding = mapper.class_.__encoding__
    return parent is not None and not mapper.concrete and getattr(parent.class_, "__encoding__", None) is encoding


def declare(mapper: Mapper[Any], encoding: EncodedColumns) -> Declared:
    """Store on its table what a class declares, and return it; raises InvalidRequest for columns that do not exist."""
    table = mapper.local_table
    owner = f"{mapper.class_.__name__}.__encoding__"
    if not isinstance(encoding, EncodedColumns):
        raise InvalidRequest(f"{owner} must be a pgencoder.sqlalchemy.EncodedColumns, got a {type(encoding).__name__}")
    if not isinstance(table, sa.Table):
        raise InvalidRequest(f"{owner}: the class is mapped to {table}, and only tables can be encoded")
    if not table.primary_key.columns:
        raise InvalidRequest(f"{owner}: the table {table.name!r} has no primary key, which passages are known by")
    name = encoding.name or table.name
    check_name(name)
    columns = tuple(_column(mapper, table, column, owner) for column in encoding.columns)
    key = {column.name: type_of(column) for column in table.primary_key}
    declared = Declared(name, table.name, table.schema, columns, key, encoding)
    # a class that is defined again, as notebooks and reloading servers do, replaces what it said before
    others = [each for each in _noted(table) if each.name != name]
    table.metadata.info.setdefault(INFO, {})[table.key] = (*others, declared)
    return declared


def type_of(column: sa.Column[Any]) -> str:
    """Return the type of a key column, for scripts; "" if only the database knows it."""
    try:
        text = column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    except sa.exc.CompileError:
        return ""
    return text if '"' in text else text.lower()


def _noted(table: sa.Table) -> Sequence[Declared]:
    # not in Table.info, which Alembic renders
    found: Sequence[Declared] = table.metadata.info.get(INFO, {}).get(table.key, ())
    return found


def _tables(declared: Classes | sa.MetaData | Sequence[sa.MetaData]) -> Iterator[sa.Table]:
    if isinstance(declared, sa.MetaData):
        yield from declared.tables.values()
        return
    if isinstance(declared, registry):
        mappers: Iterable[Mapper[Any]] = declared.mappers
    elif isinstance(declared, type):
        if not hasattr(declared, "registry"):
            raise InvalidRequest(f"{declared.__name__} is not a declarative base; give a base, a registry or classes")
        mappers = declared.registry.mappers
    else:
        for each in declared:
            if isinstance(each, sa.MetaData):
                yield from each.tables.values()
            else:
                yield from _of_class(each)
        return
    for mapper in sorted(mappers, key=lambda mapper: mapper.class_.__qualname__):
        yield from _of_class(mapper.class_)


def _of_class(each: type[Any]) -> Iterator[sa.Table]:
    mapper = sa.inspect(each, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise InvalidRequest(f"{each!r} is not a mapped class")
    if isinstance(mapper.local_table, sa.Table):
        yield mapper.local_table


def _column(mapper: Mapper[Any], table: sa.Table, name: str, owner: str) -> str:
    column = mapper.columns.get(name)
    if column is None:
        column = table.columns.get(name)
    if column is None:
        known = ", ".join(mapper.columns.keys())
        raise InvalidRequest(f"{owner} names {name!r}, which is neither an attribute nor a column; there are: {known}")
    if column.table is not table:
        raise InvalidRequest(
            f"{owner} names {name!r}, which is in the table {column.table.description!r} and not in {table.name!r}; "
            "a collection is of one table: declare it on the class that has the column"
        )
    return str(column.name)
