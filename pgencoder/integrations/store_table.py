"""Creates the table of a vector store, marks it, and checks the mark before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.database import Database
from pgencoder.db.connection import Connection, schema_of_new
from pgencoder.encoders import Encoder
from pgencoder.errors import CollectionExists, InvalidSource, UnknownCollection
from pgencoder.statements import identifier, query
from pgencoder.types import KeyColumn, TokenType


@dataclass(frozen=True)
class Kind:
    """A kind of table: the statement of `sql/queries` that creates it, and the comment that marks it."""

    statement: str
    mark: str


DOCUMENTS = Kind("create_store", "Documents of a pgencoder vector store")
NODES = Kind("create_nodes", "Nodes of a pgencoder vector store")

# Key types that can hold any string, or at least the ids that we generate
KEY_TYPES = ("text", "character varying", "uuid")


def create(
    db: Database,
    name: str,
    kind: Kind,
    model: str | Encoder,
    *,
    token_model: str | None = None,
    tokens: TokenType | None = None,
) -> None:
    """Create the table `name` and its collection if they do not exist.

    Raises InvalidSource if the table `name`, or the table of the collection `name`, was not made here.
    """
    try:
        db.collection(name)
    except UnknownCollection:
        with db.connection() as connection:
            schema = create_table(connection, name, kind)
        # their scores are cosines and MaxSim, as users of such stores expect, and not those of a fusion with words
        with suppress(CollectionExists):
            db.attach(name, ["content"], model, token_model=token_model, schema=schema, tokens=tokens, lexical="none")
    collection = db.collection(name)
    with db.connection() as connection:
        check_made(connection, name, kind, (collection.source_schema, collection.source_table))


def create_table(connection: Connection, name: str, kind: Kind) -> str:
    """Create the table `name` with the columns id, content and metadata if it does not exist; return its schema.

    Raises InvalidSource if the table exists and was not made here.
    """
    schema = schema_of_new(connection)
    # another process may create it at the same moment: then its table, row type or catalogue rows exist already
    with suppress(pg.DuplicateTable, pg.DuplicateObject, pg.UniqueViolation):
        connection.execute(query(kind.statement).format(table=identifier(schema, name), mark=sql.Literal(kind.mark)))
    there = catalog.find_columns(connection, name, schema)
    source = there.schema, there.table
    check_made(connection, name, kind, source)
    # someone may have altered the table
    key = catalog.find_source(connection, there.table, there.schema).key
    check(connection, name, source, key, ["content"], "metadata")
    return there.schema


def key_type(key: KeyColumn) -> str:
    """Return the type without a length, because a cast to varchar(3) would cut silently."""
    return key.type.split("(")[0]


def is_made(connection: Connection, kind: Kind, source: tuple[str, str]) -> bool:
    """Return True if the table `source`, (schema, name), was made here and is of this kind."""
    statement = query("is_store").as_bytes(connection)
    found = psycopg.RawCursor(connection).execute(statement, [*source, kind.mark]).fetchone()
    return found is not None and bool(found[0])


def check_made(connection: Connection, name: str, kind: Kind, source: tuple[str, str]) -> None:
    """Raise InvalidSource unless `create` made the table `source`, (schema, name)."""
    if is_made(connection, kind, source):
        return
    use = "PgencoderVectorStore" if kind == DOCUMENTS else "PgencoderRetriever"
    raise InvalidSource(
        f"the table {source[1]!r} was not made by create, so create does not change it; give another name, or use"
        f" the table as it is: db.attach({source[1]!r}, [a column]) if it is not attached, and {use}(db, {name!r})"
    )


def check(
    connection: Connection,
    name: str,
    source: tuple[str, str],
    key: Sequence[KeyColumn],
    columns: Sequence[str],
    metadata_column: str,
) -> None:
    """Raise InvalidSource for a table that a store cannot use."""
    if len(key) != 1 or key_type(key[0]) not in KEY_TYPES:
        raise InvalidSource(
            f"a vector store needs a key of one column of type text or uuid; {name!r} has"
            f" {', '.join(f'{column.source} {column.type}' for column in key)}: use PgencoderRetriever for it"
        )
    if len(columns) != 1:
        raise InvalidSource(
            f"a vector store needs one column that is encoded; {name!r} has {', '.join(columns)}: use"
            " PgencoderRetriever for it"
        )
    types = catalog.find_columns(connection, source[1], source[0]).columns
    if types.get(metadata_column) != "jsonb":
        raise InvalidSource(
            f"a vector store needs a column of type jsonb for metadata, and {source[1]!r} has no {metadata_column!r} of"
            " that type; name it: metadata_column=..."
        )


def check_nodes(connection: Connection, source: tuple[str, str]) -> None:
    """Raise InvalidSource if a table lacks columns that `create` gives a store of nodes."""
    types = catalog.find_columns(connection, source[1], source[0]).columns
    wanted = {"ref_doc_id": "text", "node": "json", "embedding": "real[]"}
    if lacking := [f"{column} {type_}" for column, type_ in wanted.items() if types.get(column) != type_]:
        raise InvalidSource(
            f"a store of nodes needs columns that {source[1]!r} lacks: {', '.join(lacking)}; make it with"
            " PgencoderVectorStore.create, or use PgencoderRetriever for this table"
        )
