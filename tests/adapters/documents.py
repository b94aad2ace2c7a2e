"""A table of documents to filter."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from pgencoder.integrations.filters import JSONB
from tests.connections import Connection

DOCUMENTS = sa.table("documents", sa.column("n"), sa.column("metadata", JSONB))


def fill(connection: Connection, rows: list[Any]) -> None:
    connection.execute("TRUNCATE documents")
    connection.execute(
        "INSERT INTO documents SELECT n - 1, metadata FROM unnest(%s::jsonb[]) WITH ORDINALITY AS given (metadata, n)",
        [[json.dumps(each) for each in rows]],
    )
