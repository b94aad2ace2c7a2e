"""Makes the columns of a collection's source table the fields of a filter."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from pgencoder.database import Database
from pgencoder.errors import InvalidRequest
from pgencoder.integrations.filters import JSONB, Field, Fields, catalog, constant, metadata_field
from pgencoder.statements import query


def source_fields(db: Database, name: str) -> Fields:
    """Return a function that finds the fields of a collection's source by name.

    A field is a column, or a key of a json column, such as "facts.author". Its value is compared as JSON: dates and
    uuids are texts, arrays are lists, and NULL is None, which $exists counts as missing. Such a condition cannot use
    an index of the column; a SQLAlchemy condition can.
    """
    collection = db.collection(name)
    with db.connection() as connection:
        kinds = dict(
            psycopg.RawCursor(connection)
            .execute(query("filter_columns").as_bytes(connection), [collection.source_schema, collection.source_table])
            .fetchall()
        )
    columns = sa.table(collection.source_table, *map(sa.column, kinds), schema=collection.source_schema).c

    def field(name: str) -> Field:
        column, path = (name, "") if name in kinds else name.split(".", 1) if "." in name else (name, "")
        if column not in kinds or (path and kinds[column] not in ("json", "jsonb")):
            raise InvalidRequest(
                f"filter: the table {collection.source_table!r} has no {'json ' if path else ''}column {column!r}; its"
                f" columns: {', '.join(kinds)}"
            )
        value = _json(columns[column], kinds[column])
        if path:
            return metadata_field(value)(path)
        return Field(sa.func.coalesce(value, constant(None), type_=JSONB), columns[column].is_not(None))

    return field


def _json(column: ColumnElement[object], kind: str) -> ColumnElement[object]:
    if kind == "jsonb":
        return sa.type_coerce(column, JSONB)
    if kind == "other":
        return sa.case((column.is_not(None), catalog.to_jsonb(catalog.concat(column), type_=JSONB)))
    return catalog.to_jsonb(column, type_=JSONB)
