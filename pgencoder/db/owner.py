"""Keeps a superuser's rights from what other roles have stored in the schema `pgencoder`.

Whoever owns a function or a view can let it do anything, with the rights of whoever calls it. To take the owner's role
before the call protects nobody: the code takes that role off again by RESET ROLE.
"""

from __future__ import annotations

from psycopg import sql

from pgencoder.db.executor import Executor
from pgencoder.errors import MissingRights
from pgencoder.sql import SCHEMA, query


def check_owner(connection: Executor, *, parts: bool = True) -> None:
    """Raise MissingRights in a superuser's session if the schema belongs to a role that is no superuser.

    With `parts` this holds for each relation and function in the schema too.
    """
    row = connection.execute(query("other_owner").format(parts=sql.Literal(parts))).fetchone()
    if row is not None:
        owner, superuser = row
        raise MissingRights(
            f'the schema {SCHEMA}, or a part of it, belongs to "{owner}", who could run anything with the rights of the'
            f' superuser "{superuser}"; connect as "{owner}", or as another role that is no superuser'
        )
