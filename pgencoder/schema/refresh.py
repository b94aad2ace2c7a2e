"""Replaces what is stored for each collection, at each migration."""

from __future__ import annotations

from psycopg import errors as pg

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.executor import run
from pgencoder.db.locks import lock_collection
from pgencoder.errors import PgencoderError
from pgencoder.schema import functions, policy, repair, roles, search
from pgencoder.schema.ownership import become_owner, reset_role


def refresh(connection: Connection) -> None:
    """Replace what is stored for each collection, as its owner; warn of one that cannot have it, and say what to do."""
    schema = vector_schema(connection)
    for each in catalog.collections(connection):  # all of them first: who locks one may lock what all need
        lock_collection(connection, each.name)
    for collection in catalog.collections(connection):
        parts = Objects(collection, schema)
        failure = _failure(connection, parts)
        reset_role(connection)
        if repair.drop_unsafe(connection, parts):
            failure = (
                f"{failure or catalog.problem(connection, collection.name)}; its triggers ran as a superuser and are"
                " dropped, so changes of the table go unseen"
            )
        catalog.warn(connection, collection.name, failure)
    if roles.in_use(connection):
        roles.create(connection)


def _failure(connection: Connection, parts: Objects) -> str | None:
    """Replace what is stored for one collection; return why that failed, if it did."""
    name = parts.collection.name
    try:
        with connection.transaction():
            if repair.replaceable(connection, parts):
                _replace(connection, parts)
    except pg.LockNotAvailable:  # not for what this collection is: the migration ends, and names who holds it
        raise
    except (pg.Error, PgencoderError) as error:
        said = error.diag.message_primary if isinstance(error, pg.Error) else None
        failure = " ".join((said or str(error)).split())
        if isinstance(error, pg.InsufficientPrivilege):
            return f"{failure}; or: pgencoder detach {name}"
        # what is wrong with the table says more than an error that follows from it
        return catalog.problem(connection, name) or failure
    return None


def _replace(connection: Connection, parts: Objects) -> None:
    become_owner(connection, parts)
    run(connection, functions.create(parts, parts.collection.generations))
    run(connection, (policy.create(parts.of(generation)) for generation in parts.collection.generations))
    search.replace(connection, parts)
