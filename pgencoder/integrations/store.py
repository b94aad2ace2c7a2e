"""Writes, encodes, finds and deletes the documents of a vector store, for all frameworks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from pgencoder.database import Database
from pgencoder.db.connection import translate_errors
from pgencoder.encoders import Encoder, check_fingerprint
from pgencoder.errors import EncoderError, InvalidRequest
from pgencoder.ingest.queue import execute
from pgencoder.integrations import store_table
from pgencoder.integrations.filters import JSONB
from pgencoder.integrations.refusal import as_list, refused
from pgencoder.opening import connect
from pgencoder.results import Hit
from pgencoder.search import Search
from pgencoder.search.statement import Filter, source_of
from pgencoder.statements import Part, identifier, own, query, raw
from pgencoder.types import Encoding, Generation, Matrix

POLL_SECONDS = 0.05

# An entry of a B-tree has at most 2704 bytes, and the key of the passages contains more than the id
LONGEST_ID = 2000


class Store:
    """The store of a collection: its table has one key of text or uuid, one encoded column, and metadata as jsonb."""

    kind = store_table.DOCUMENTS

    def __init__(self, db: Database | str, name: str, encoder: Encoder | None, metadata_column: str) -> None:
        self.db = connect(db) if isinstance(db, str) else db
        self.name = name
        self.encoder = encoder
        # one thread at a time, because each needs several connections of the pool; it encodes the rows of all threads
        self._encoding = threading.Lock()
        collection = self.db.collection(name)
        self.source = collection.source_schema, collection.source_table
        with self.db.connection() as connection:
            store_table.check(connection, name, self.source, collection.key, collection.columns, metadata_column)
        if encoder is not None:
            check_fingerprint(collection.generation.encoder, encoder.fingerprint, f"collection {name!r}")
        self._key = collection.key[0]
        self._key_type = store_table.key_type(self._key)
        self._content, self._metadata = collection.columns[0], metadata_column
        self.metadata = self.column(metadata_column, JSONB)

    def column(self, name: str, type_: Any = None) -> ColumnElement[Any]:
        """Return a column of the table, for conditions."""
        return sa.table(self.source[1], sa.column(name, type_), schema=self.source[0]).c[name]

    @property
    def id_column(self) -> ColumnElement[Any]:
        """The column with the ids."""
        return self.column(self._key.source)

    def ids(self, given: Iterable[object]) -> list[str]:
        """Return ids in the form of Postgres, so that they are found again; raises InvalidRequest for a wrong id."""
        return [self._id(each) for each in as_list(given, "ids")]

    def _id(self, given: object) -> str:
        if self._key_type != "uuid":
            return str(given)
        try:
            return str(UUID(str(given)))
        except ValueError as error:
            raise InvalidRequest(f"the ids of {self.name!r} must be of type uuid, got {given!r}") from error

    def new_ids(self, given: Iterable[object]) -> list[str]:
        """Return ids that can be stored; raises InvalidRequest for an id that is too long or wrong."""
        ids = self.ids(given)
        if long := [each for each in ids if len(each.encode(errors="replace")) > LONGEST_ID]:
            raise InvalidRequest(f"an id may have at most {LONGEST_ID} bytes; shorten {long[0][:40]!r}...")
        return ids

    def matching(self, condition: ColumnElement[bool] | None) -> list[str]:
        """Return the ids of the documents for which a condition is true; without a condition all ids."""
        source = source_of(self.db.collection(self.name))
        statement = source.keys if condition is None else source.keys.where(source.translate(condition))
        with refused(), translate_errors(), self.db.own_engine.connect() as connection:
            return [str(key) for key in connection.scalars(statement)]

    def delete(self, ids: Sequence[str]) -> None:
        """Delete documents, and their passages."""
        self.execute("delete_documents", ids)
        self.sync()

    def clear(self) -> None:
        """Delete all documents; raises InvalidRequest if the table was not made for a store."""
        with self.db.connection() as connection:
            made = store_table.is_made(connection, self.kind, self.source)
        if not made:
            raise InvalidRequest(
                f"delete without ids would empty the table {self.source[1]!r}, which create did not make; give the"
                " ids, or run TRUNCATE on it"
            )
        self.execute("delete_all")
        self.sync()

    def sync(self) -> None:
        """Encode the queued rows, and remove the passages of deleted rows."""
        with self._encoding:
            self.db.sync(self.name, encoder=self.encoder, progress=False)

    def encode(self, ids: Sequence[str]) -> None:
        """Encode the queued rows, and wait until others have encoded their part of `ids`; raises EncoderError."""
        while True:
            self.sync()
            ((pending, failed, reason),) = self.execute("read_pending", list(ids))
            if failed:
                raise EncoderError(f"{failed} of {len(ids)} documents could not be encoded: {reason}")
            if not pending:
                return
            time.sleep(POLL_SECONDS)

    def search(self, text: str, k: int, condition: Filter | None, candidates: int) -> list[Hit]:
        """Return the best passage of each of the `k` best documents for a query."""
        with refused():
            return self.db.search(
                self.name, text, k, candidates=candidates, filter=condition, group="document", encoder=self.encoder
            )

    def nearest(self, vector: Sequence[float], k: int, condition: Filter | None, candidates: int) -> list[Hit]:
        """Return the best passage of each of the `k` documents nearest to a dense vector."""
        asked = Search(k, candidates, condition, "document", "dense")
        collection = self.db.collection(self.name)
        with refused():
            return self.db.run(collection, asked, Encoding(checked(vector, collection.generation.dims.dense)))

    def question(self, text: str) -> Encoding:
        """Return the encoding of a query."""
        return self.db.encode_query(self.db.collection(self.name), text, self.encoder)

    def dense(self, hits: Sequence[Hit]) -> dict[int, list[float]]:
        """Return the dense vectors of hits as lists, by their places; deleted passages are left out."""
        return dict(self.execute("read_dense", [str(hit.key) for hit in hits], [hit.passage for hit in hits]))

    def execute(self, name: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement of `sql/queries` on the table, with values for $1, $2, ..."""
        statement = self.statement(name, self.db.collection(self.name).generation)
        with refused(), self.db.connection() as connection:
            done = execute(connection, statement, values)
            return done.fetchall() if done.description else []

    def statement(self, name: str, generation: Generation) -> Part:
        """Return a statement of `sql/queries` for the table and the passages of a generation."""
        return query(name).format(
            table=identifier(*self.source),
            id=identifier(self._key.source),
            content=identifier(self._content),
            metadata=identifier(self._metadata),
            passages=own(generation.passages),
            queue=own(generation.queue),
            key=identifier(self._key.name),
            key_type=raw(self._key.full_type.partition("(")[0]),  # a cast to varchar(3) would cut silently
        )


def checked(vector: Any, dims: int) -> Matrix:
    """Return a dense vector of shape (dims,); raises InvalidRequest for another shape or if a number is not finite."""
    try:
        with np.errstate(over="ignore"):  # a number too large for float32 becomes infinity, which is refused below
            numbers = np.asarray(vector, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"the vector must be a list of {dims} numbers: {error}") from error
    if numbers.shape != (dims,) or not np.isfinite(numbers).all():
        raise InvalidRequest(f"the vector must have shape ({dims},) and finite numbers, got shape {numbers.shape}")
    return numbers
