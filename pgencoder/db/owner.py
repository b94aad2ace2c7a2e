"""Protects a superuser from code that other roles have stored in the schema `pgencoder`.

A function or a view runs with the rights of its caller, and its owner can let it do anything. SET ROLE to the owner
before the call is no protection: the code can undo it with RESET ROLE.
"""

from __future__ import annotations

from psycopg import sql

from pgencoder.db.executor import Executor
from pgencoder.errors import MissingRights
from pgencoder.statements import SCHEMA, query


def check_owner(connection: Executor, *, parts: bool = True) -> None:
    """Raise MissingRights in a superuser's session if the schema belongs to a role that is not a superuser.

    With `parts`, check the owner of each relation and function in the schema too.
    """
    row = connection.execute(query("other_owner").format(parts=sql.Literal(parts))).fetchone()
    if row is not None:
        owner, superuser = row
        raise MissingRights(
            f'the schema {SCHEMA}, or a part of it, belongs to "{owner}", who could run anything with the rights of the'
            f' superuser "{superuser}"; connect as "{owner}", or as another role that is not a superuser'
        )
