"""Rights for two group roles: `pgencoder_reader` may search, `pgencoder_worker` may encode."""

from __future__ import annotations

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.errors import MissingRights
from pgencoder.statements import Quoted, block, query, raw

READER = "pgencoder_reader"
WORKER = "pgencoder_worker"


def create(connection: Connection) -> None:
    """Create the two roles if they do not exist, and grant them what they need in this database."""
    for role in (READER, WORKER):
        if not connection.execute(query("has_role"), [role]).fetchone():
            try:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
            except pg.InsufficientPrivilege as error:
                raise MissingRights(
                    f"this role may not create roles; run as one that may: CREATE ROLE {READER}; CREATE ROLE {WORKER}"
                ) from error
    connection.execute(query("grant_schema").format(reader=raw(READER), worker=raw(WORKER)))
    refresh(connection)


def in_use(connection: Connection) -> bool:
    """Return True if this database has granted the roles anything."""
    return connection.execute(query("roles_in_use")).fetchone() == (True,)


def refresh(connection: Connection) -> None:
    """Grant what the roles need of every collection; warn of a collection that has lost its objects."""
    schema = vector_schema(connection)
    for collection in catalog.collections(connection):
        try:
            with connection.transaction():
                for generation in collection.generations:
                    connection.execute(grant(Objects(collection, schema, generation)))
        except (pg.UndefinedTable, pg.UndefinedFunction) as error:
            catalog.warn(connection, collection.name, error.diag.message_primary)


def grant(objects: Objects) -> sql.Composed:
    """Grant what the roles need of one generation, if the database uses them."""
    arguments = objects.key.array_types + raw(", bigint")
    grants = objects.fill("grant_generation", reader=raw(READER), worker=raw(WORKER), read_arguments=arguments)
    return block(objects.fill("if_roles", in_use=query("roles_in_use"), statements=Quoted(grants)))
