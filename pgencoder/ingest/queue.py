"""The queue of a generation: claim keys, read their rows, finish, fail or release them.

Why nothing is lost and nothing stale stays
-------------------------------------------
A change and its key in the queue, with a new `seq`, belong to one transaction: both are there or neither. A worker

1. claims, in a short transaction: the key stays queued, with a lease;
2. reads the row after that has committed. Its snapshot is later than the claim's, so what it reads is at least as new
   as the `seq` that it claimed. (Read in the claiming statement it could be older: SKIP LOCKED locks the newest version
   of a queue row, while a join sees the source as of the statement's snapshot.)
3. encodes outside any transaction, as long as that takes;
4. finishes, in a second short transaction: locks the queue rows whose `seq` is still the one it claimed, deletes them
   and replaces the passages.

A writer under READ COMMITTED that commits before 4 has changed `seq`, so the key stays queued. One that has queued the
key and not yet committed holds the lock: 4 skips the row (SKIP LOCKED) and waits for nobody. One that has written the
row and comes to its trigger only after 4 has begun waits until 4 commits, finds no queue row, and queues the key
again. In each case the key is queued after the change, and its passages are replaced. A rollback leaves the key as it
was: claimed, until the lease ends. A delete queues the key too; its passages go when a worker finds no row. An insert
of the same key is one more change.

A writer under REPEATABLE READ or SERIALIZABLE cannot touch a queue row that was claimed or written since its snapshot;
Postgres would fail it with a serialization error although no other application did anything. The trigger catches that
and adds the key to `pgencoder.late`, where an insert conflicts with nothing. Workers move it into the queue, as
another change with another `seq`, after the writer has committed. The row's version that a worker reads then includes
the change.

TRUNCATE cannot name its keys. It leaves a row without a key in `late`; a worker gives all claimed keys a new `seq`,
so that what is being encoded is not written, and then queues every key that has passages.

A lease only keeps two workers from the same work and brings a dead worker's keys back. If one is overrun, both may
encode the row; the first to finish deletes the queue row, the second finds none and writes nothing. What keeps stale
passages out is `seq`, never time.

Claims of new keys begin after the last claim, see `Claimer`: a key that is queued or given back before that waits for a
look from the beginning.

No worker waits for a lock while it holds one that an application could want: queue rows are locked with SKIP LOCKED,
the passages table NOWAIT and before them, and where keys are queued in bulk a lock timeout far below the deadlock
timeout ends the wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.statements import Part, listed, raw

LEASE_SECONDS = 60.0
MOST_ATTEMPTS = 8
SHORTEST_BACKOFF_SECONDS = 2
LONGEST_BACKOFF_SECONDS = 3600
# Bulk work gives way to applications long before Postgres would look for a deadlock
LOCK_TIMEOUT = "100ms"
# Looks from the beginning of a queue take one part in this many of the time
LOOK_SHARE = 50

Which = Literal["new", "again", "alone"]

# What was claimed once and came back, by an error or because its worker died, is tried with few others, then alone:
# a row that kills its worker takes at most these along
_READY: Mapping[Which, tuple[str, str]] = {
    "new": ("attempts OPERATOR(pg_catalog.=) 0", "seq"),
    "again": ("attempts OPERATOR(pg_catalog.=) 1", "run_after"),
    "alone": ("attempts OPERATOR(pg_catalog.>) 1", "run_after"),
}
MOST_ROWS: Mapping[Which, int] = {"new": 100_000, "again": 32, "alone": 1}


@dataclass(frozen=True)
class Claim:
    """Claimed keys: `keys[i]` is the key of row i as text, one value for each key column."""

    seqs: list[int]
    attempts: list[int]
    keys: list[tuple[str, ...]]

    def take(self, rows: Sequence[int]) -> Claim:
        """Return the claim on some of the rows only."""
        return Claim([self.seqs[i] for i in rows], [self.attempts[i] for i in rows], [self.keys[i] for i in rows])

    @property
    def key_arrays(self) -> list[list[str]]:
        """The parameters $1, $2, ...: the values of each key column."""
        return [list(column) for column in zip(*self.keys, strict=True)]


@dataclass(frozen=True)
class Row:
    """A source row: `number` is its place in the claim, `key` its key in Postgres' binary format."""

    number: int
    content: str
    key: tuple[bytes, ...]


class Claimer:
    """Claims from one queue, for one process, and remembers where its last claim ended.

    An index scan reads the entries of keys that are gone until a vacuum has removed them. No vacuum may do that while
    any session has an older transaction open, so each claim would read everything before it again. Therefore new keys
    are claimed after the last claim. Looks from the beginning, and for what came back, are rare: they take a fiftieth
    of the time.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._after: int | None = None
        self._due: dict[Which, float] = {}

    def claim(
        self,
        connection: Connection,
        which: Which,
        rows: int,
        lease: float = LEASE_SECONDS,
        *,
        everywhere: bool = False,
    ) -> Claim:
        """Claim like `claim`; only `everywhere` finds for certain what there is."""
        started = time.monotonic()
        whole = everywhere or started >= self._due.get(which, 0)
        if not whole and which != "new":
            return Claim([], [], [])
        claimed = claim(connection, self._objects, which, rows, lease, None if whole else self._after)
        if whole:
            now = time.monotonic()
            self._due[which] = now + LOOK_SHARE * (now - started)
        if which == "new":
            self._after = max(claimed.seqs, default=self._after)
        return claimed


def claim(
    connection: Connection,
    objects: Objects,
    which: Which,
    rows: int,
    lease: float = LEASE_SECONDS,
    after: int | None = None,
) -> Claim:
    """Claim up to `rows` keys for `lease` seconds, the oldest first: new ones, or those that came back.

    `after` leaves out new keys up to this `seq`.
    """
    ready, first = _READY[which]
    if after is not None:
        ready += f" AND seq OPERATOR(pg_catalog.>) {after:d}"
    statement = objects.fill("claim", ready=raw(ready), first=raw(first), key_text=objects.key.text("queue"))
    found = execute(connection, statement, [min(rows, MOST_ROWS[which]), lease]).fetchall()
    return Claim([row[0] for row in found], [row[1] for row in found], [tuple(row[2:]) for row in found])


def read_rows(connection: Connection, objects: Objects, claimed: Claim, most_bytes: int) -> tuple[list[Row], list[int]]:
    """Return the claimed rows that are in the source, and the numbers of those that were left out for their size.

    The rest were deleted. At least one row is read, however large it is.
    """
    keys = raw(", ".join(f"${i}" for i in objects.key.numbers))
    statement = sql.SQL("SELECT * FROM {}({}, {})").format(objects.read, keys, objects.key.parameter(1))
    # Binary keys go back into COPY as they came, whatever their type
    result = execute(connection, statement, [*claimed.key_arrays, most_bytes], binary=True).pgresult
    assert result is not None
    rows, left_out, seen = [], [], set()
    for i in range(result.ntuples):
        number, content, *key = (result.get_value(i, column) for column in range(result.nfields))
        assert number is not None
        if number in seen:
            continue  # children of an inherited table may have the same key: one of them
        seen.add(number)
        if content is None:
            left_out.append(int.from_bytes(number, "big"))
        else:
            rows.append(Row(int.from_bytes(number, "big"), content.decode(), tuple(part or b"" for part in key)))
    return rows, left_out


def check_readable(objects: Objects) -> sql.Composed:
    """Return a statement that raises the error of reading any row, for example if a policy applies to the owner too."""
    return sql.SQL("SELECT pg_catalog.count(*) FROM {}(NULL, 0, true)").format(objects.scan)


def finish(connection: Connection, objects: Objects, claimed: Claim, rows: Sequence[int]) -> set[int]:
    """Remove the keys that are unchanged since the claim from the queue; return their rows' numbers.

    Call it in the transaction that then replaces their passages, before anything else.
    """
    part = claimed.take(rows)
    statement = objects.fill("finish", seqs=objects.key.parameter(1, "::bigint[]"))
    return {rows[number] for (number,) in execute(connection, statement, [*part.key_arrays, part.seqs])}


def release(connection: Connection, objects: Objects, claimed: Claim) -> None:
    """Give back what was not tried."""
    _update(connection, objects, claimed, "release")


def extend(connection: Connection, objects: Objects, claimed: Claim, lease: float) -> None:
    """Extend the lease: it ends `lease` seconds from now."""
    _update(connection, objects, claimed, "extend", lease=sql.Literal(lease))


def fail(connection: Connection, objects: Objects, claimed: Claim, errors: Mapping[int, str]) -> None:
    """Note why rows could not be encoded: they are tried again later, eight times in all, then rest until `retry`.

    The waits are 2, 8, 32, ... seconds up to an hour, each between half and one and a half times that.
    """
    rows = sorted(errors)
    _update(
        connection,
        objects,
        claimed.take(rows),
        "fail",
        errors=[errors[row] for row in rows],
        most_attempts=sql.Literal(MOST_ATTEMPTS),
        shortest=sql.Literal(SHORTEST_BACKOFF_SECONDS),
        longest=sql.Literal(LONGEST_BACKOFF_SECONDS),
    )


def retry(connection: Connection, objects: Objects, *, rested: bool = True) -> int:
    """Queue again what failed; return how many keys. Without `rested`, only keys that wait for another attempt."""
    which = "true" if rested else "run_after OPERATOR(pg_catalog.<) 'infinity'"
    return execute(connection, objects.fill("retry", which=raw(which)), []).rowcount


def count_waiting(connection: Connection, objects: Objects) -> int:
    """Return how many keys are queued and do not rest."""
    row = execute(connection, objects.fill("count_queued"), []).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def giving_way(connection: Connection) -> Iterator[None]:
    """Run a transaction that raises LockNotAvailable instead of waiting for an application."""
    with connection.transaction():
        set_locally(connection, "lock_timeout", LOCK_TIMEOUT)
        yield


def set_locally(connection: Connection, name: str, value: str) -> None:
    """Change a setting until the transaction ends."""
    connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def execute(
    connection: Connection, statement: Part, parameters: Sequence[Any], binary: bool = False
) -> psycopg.RawCursor[Any]:
    """Run a statement with the server's placeholders ($1), so that a % in a name is only a character."""
    return psycopg.RawCursor(connection).execute(statement.as_bytes(connection), parameters, binary=binary)


def _update(
    connection: Connection,
    objects: Objects,
    claimed: Claim,
    template: str,
    errors: Sequence[str] | None = None,
    **parts: Part,
) -> None:
    """Fill and run a template that updates `mine`: the queue rows of a claim, without those that someone has locked."""
    if not claimed.keys:
        return
    arrays = [objects.key.arrays, raw("pg_catalog.unnest(") + objects.key.parameter(1, "::bigint[])")]
    columns = ["seq"]
    parameters: list[Any] = [*claimed.key_arrays, claimed.seqs]
    if errors is not None:
        arrays.append(raw("pg_catalog.unnest(") + objects.key.parameter(2, "::pg_catalog.text[])"))
        columns.append("error")
        parameters.append(list(errors))
    mine = objects.fill("mine", arrays=listed(arrays), columns=raw(", ".join(columns)))
    execute(connection, objects.fill(template, mine=mine, **parts), parameters)
