"""Runs searches, on connections of the pool as they are, so that a search waits for the server once.

A connection may be dead then, or have plans of what has changed its type: the search runs once more, on one that is
checked. It only reads, so nothing is done twice.

A search without a filter has one text for a collection as it is described. The text does not depend on the query, so
our connections prepare it. Its LIMIT is a literal: with a parameter, the plan for all values would not use the index.
A search with a filter is planned with its values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql

from pgencoder import vectors
from pgencoder.catalog import check_source, description
from pgencoder.db.connection import (
    Connection,
    as_it_is,
    connected,
    driver_of,
    may_be_superuser,
    translate_errors,
    unchecked,
)
from pgencoder.db.owner import check_owner
from pgencoder.errors import Outdated, PgencoderError
from pgencoder.representations.shapes import check_query
from pgencoder.search.ranking import ranking_of
from pgencoder.search.render import FIELDS, search_text
from pgencoder.search.statement import Search, search_statement
from pgencoder.statements import SCHEMA, as_text, identifier, own, query, raw
from pgencoder.types import Collection, Encoding

Row = Sequence[Any]

# The characters of a passage
SPAN = ("pg_catalog.lower(span) AS span_start", "pg_catalog.upper(span) AS span_end")

MOST_TEXTS = 100  # of a collection; as many as a connection keeps prepared

# The prepared statement is gone; its columns have other types now; a type is gone, as after DROP EXTENSION vector
STALE = (pg.InvalidSqlStatementName, pg.FeatureNotSupported, pg.UndefinedObject, pg.InternalError_)


class Runner:
    """Runs searches on an engine of ours."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._texts: dict[str, tuple[Collection, dict[Search, bytes]]] = {}

    def rows(self, collection: Collection, search: Search, asked: Encoding) -> Sequence[Row]:
        """Return the rows for an encoded query: the key columns, then the fields of a `Hit`.

        The server refuses if the collection is no longer as it is described.
        """
        check_query(asked)
        parameters = [measure.value(asked) for measure in ranking_of(search.stage).measures.values()]
        if search.filter is not None or search.boost is not None or any(each is None for each in parameters):
            return self._planned(collection, search, asked)
        text = self._text(collection, search)
        try:
            with as_it_is(self._engine) as connection:
                try:
                    return _run(connection, collection, text, parameters)
                except psycopg.Error as error:
                    if not (connection.closed or isinstance(error, STALE)):
                        raise
                    connection.close()
            with connected(self._engine) as connection:
                return _run(connection, collection, text, parameters, prepare=False)
        except psycopg.Error as error:  # as SQLAlchemy raises it, which runs those with a filter
            raise sa.exc.DBAPIError.instance(
                text.decode(), None, error, psycopg.Error, hide_parameters=True, dialect=self._engine.dialect
            ) from error

    def _text(self, collection: Collection, search: Search) -> bytes:
        described, texts = self._texts.get(collection.name, (None, {}))
        if described is not collection and described != collection:
            texts = {}
            self._texts[collection.name] = collection, texts
        text = texts.get(search)
        if text is None:
            if len(texts) >= MOST_TEXTS:
                texts.clear()
            text = texts[search] = statement_text(collection, search)
        return text

    def _planned(self, collection: Collection, search: Search, asked: Encoding) -> Sequence[Row]:
        built = search_statement(collection, search, asked)
        with translate_errors():
            with unchecked():
                session = self._session()
            driver = driver_of(session)
            try:
                return _execute(session, collection, built)
            except (psycopg.OperationalError, sa.exc.OperationalError):
                if not driver.closed:
                    raise
            return _execute(self._session(), collection, built)

    def _session(self) -> sa.Connection:
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def _execute(session: sa.Connection, collection: Collection, built: sa.Select[Any]) -> Sequence[Row]:
    with session:
        driver = driver_of(session)
        try:
            if may_be_superuser(driver):
                _check(driver, collection)
        except pg.DivisionByZero:
            raise _refusal(driver, collection) from None
        finally:
            if driver.closed:
                session.invalidate()
        return session.execute(built).all()


def _run(
    connection: Connection, collection: Collection, text: bytes, parameters: Sequence[Any], *, prepare: bool = True
) -> Sequence[Row]:
    vectors.ensure_registered(connection)
    cursor = psycopg.RawCursor(connection)
    if not may_be_superuser(connection):
        return cursor.execute(text, parameters, prepare=prepare).fetchall()
    passed = True
    try:
        with _pipeline(connection):
            try:
                _check(connection, collection)
                cursor.execute(text, parameters, prepare=prepare)
            except pg.DivisionByZero:  # caught inside: psycopg logs a warning if it leaves a pipeline
                passed = False
        if passed:
            return cursor.fetchall()
    except (pg.DivisionByZero, psycopg.errors.PipelineAborted):
        pass
    raise _refusal(connection, collection)


def _pipeline(connection: Connection) -> AbstractContextManager[object]:
    """Send statements together, and none after one that fails; one by one where libpq is older than 14."""
    return connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext()


def _check(connection: Connection, collection: Collection) -> None:
    names = [collection.source_schema, collection.source_table, as_text(own(collection.generation.passages))]
    psycopg.RawCursor(connection).execute(query("check_search").as_bytes(), names, prepare=True)


def _refusal(connection: Connection, collection: Collection) -> PgencoderError:
    """Return the error that says why the check of a superuser's search fails."""
    try:
        check_owner(connection, parts=False)
        check_source(connection, collection)
    except PgencoderError as error:
        return error
    return Outdated(f"the collection {collection.name!r} has changed since it was described; search again")


def statement_text(collection: Collection, search: Search) -> bytes:
    """Return the statement of a search without a filter; $1, $2, ... are the query for each measure.

    It returns the key columns, passage, the first character and the one after the last, content, and `FIELDS`. It fails
    with `object_not_in_prerequisite_state` where the collection is no longer as it is described.
    """
    ranking = ranking_of(search.stage)
    check = sql.SQL("{}._check_active({}(), {}::pg_catalog.jsonb)").format(
        raw(SCHEMA), own(f"{collection.name}_active"), sql.Literal(json.dumps(description(collection)))
    )
    statement = search_text(
        collection,
        ranking,
        search.options,
        table=identifier(collection.source_schema, collection.source_table),
        keys=[identifier(key.source) for key in collection.key],
        columns=["passage", *SPAN, "content", *FIELDS],
        check=check,
        k=sql.Literal(search.k),
        candidates=sql.Literal(max(search.candidates, search.k)),
        min_relevance=sql.Literal(search.min_relevance),
        **{name: raw(f"${number}") for number, name in enumerate(ranking.measures, 1)},
    )
    return as_text(statement).encode()
