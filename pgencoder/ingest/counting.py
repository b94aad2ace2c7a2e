"""Counts in how many passages each term is, for representations that need it.

The counts are as of one moment, and searches use them until the next: a term is hardly rarer or more common after a few
more changes. So nobody's transaction updates them.
"""

from __future__ import annotations

from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.ingest.index import lift_timeouts

TOLERANCE = 0.1  # of the passages may have changed since
FEW = 50_000  # passages that are counted in less than a second


def is_due(connection: Connection, objects: Objects, *, exact: bool = False) -> bool:
    """Return True if more than a tenth of the passages has changed since they were counted, as the server saw it.

    The server sees a change up to ten seconds late. With `exact`, few passages are due in any case.
    """
    names = [each.name for each in objects.counted]
    if not names:
        return False
    given = {"tolerance": TOLERANCE, "few": FEW, "exact": exact, "names": names}
    literals = {name: sql.Literal(value) for name, value in given.items()}
    # no parameters, beside which a % in a name would be a placeholder
    row = connection.execute(objects.fill("counts_due", changes=objects.fill("changes"), **literals)).fetchone()
    return row == (True,)


def count(connection: Connection, objects: Objects) -> None:
    """Count now, unless another process does."""
    with connection.transaction():
        lift_timeouts(connection)
        connection.execute(sql.SQL("SELECT {}()").format(objects.count))
