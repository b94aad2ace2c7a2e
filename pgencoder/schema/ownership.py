"""As whom the objects of a collection are made, and so as whom they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.sql import block, query

if TYPE_CHECKING:
    from pgencoder.catalog.objects import Objects


@contextmanager
def as_source_owner(connection: Connection, objects: Objects) -> Iterator[None]:
    """Let what is made inside belong to, and so run as, the owner of the source, who may create here only meanwhile.

    Where the schema is a superuser's all that is in it stays a superuser's.
    """
    names = {f"{kind}_name": sql.Literal(f"{objects.collection.name}_{kind}") for kind in ("changed", "read", "scan")}
    connection.execute(block(objects.fill("become_source_owner", **names)))
    yield
    connection.execute(block(query("leave_source_owner").format()))
