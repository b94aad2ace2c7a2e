"""Chooses the role that creates the objects of a collection, because they run with the rights of that role."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.executor import Executor
from pgencoder.statements import Part, as_text, block, query


def by_source_owner(objects: Objects, statements: Iterable[Part]) -> list[Part]:
    """Let what these statements make belong to, and so run as, the owner of the source, who may create only meanwhile.

    Where the schema is a superuser's, all that is in it stays a superuser's.
    """
    names = {f"{kind}_name": sql.Literal(f"{objects.collection.name}_{kind}") for kind in ("changed", "read", "scan")}
    become = block(objects.fill("become_source_owner", **names))
    return [become, *statements, block(query("leave_source_owner").format())]


def become_owner(executor: Executor, objects: Objects) -> None:
    """Let what follows in the transaction belong to the owner of the collection.

    The trigger runs as that role: were a new queue a superuser's, the applications' writes would fail.
    """
    reset_role(executor)
    executor.execute(query("become_owner").format(passages_name=sql.Literal(as_text(objects.passages))))


def reset_role(executor: Executor) -> None:
    """Be the role that connected, in what follows in the transaction."""
    executor.execute("SELECT pg_catalog.set_config('role', 'none', true)")
