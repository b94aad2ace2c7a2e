"""What writers do: transactions drawn from a seed, before anything is executed.

A plan does not depend on how the ones before it went, so a seed gives each writer the same transactions in the same
order each time; only how the writers, the workers and the crashes interleave is left to the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, LiteralString

from psycopg import IsolationLevel

Key = tuple[int, str]

TABLE = """
CREATE TABLE notes (
    a int, b text, title text, body text, seen int NOT NULL DEFAULT 0,
    PRIMARY KEY (a, b)
)
"""
WORDS = ["snow", "rain", "hail", "sleet", "fog", "mist", "frost", "thaw", "gale", "calm"]

UPSERT: LiteralString = (
    "INSERT INTO notes VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (a, b) DO UPDATE SET title = EXCLUDED.title, body = EXCLUDED.body"
)

# Names that go wrong where a key is pasted into SQL or a COPY instead of being passed
NAMES = ["plain", "it's", "ä ö", "100%", "tab\there", r"back\slash", "", "(1,2)", '"quoted"', "NULL"]


@dataclass(frozen=True)
class Step:
    """One statement and its parameters."""

    statement: LiteralString
    parameters: tuple[Any, ...] = ()


SAVEPOINT = Step("SAVEPOINT s")
ROLLBACK_TO = Step("ROLLBACK TO s")


@dataclass(frozen=True)
class Plan:
    """One transaction. `private`: it touches only keys of its own writer; `truncates`: it touches all."""

    steps: tuple[Step, ...]
    isolation: IsolationLevel
    commit: bool
    private: bool = False
    truncates: bool = False


@dataclass(frozen=True)
class Keys:
    """The keys that a writer uses: `shared` with all others, `private` to itself."""

    shared: Sequence[Key]
    private: Sequence[Key]


def keys(writer: int, groups: int) -> Keys:
    """`groups` times 10 shared keys, and 3 private ones, few so that a worker often has them in hand."""
    return Keys(
        [(a, name) for a in range(groups) for name in NAMES],
        [(100 + writer, name) for name in NAMES[:3]],
    )


class Drawer:
    """Draws plans for one writer."""

    def __init__(self, writer: int, seed: str, keys: Keys, *, truncate: bool = False) -> None:
        self._writer = writer
        self._random = Random(f"{seed}/writer {writer}")
        self._keys = keys
        self._pool = keys.shared
        # one of each writer, early, for what comes after it has to fill the table again
        self._truncate_at = 40 * (writer + 1) if truncate else None
        self._plans = 0
        self._follow_up: Plan | None = None
        self._texts = 0
        self._operations: list[tuple[int, Callable[[], list[Step]]]] = [
            (3, self._insert),
            (2, self._insert_many),
            (6, self._update),
            (1, self._update_group),
            (2, self._touch),
            (3, self._delete),
            (2, self._change_key),
            (2, self._reinsert),
            (4, self._upsert),
            (2, self._savepoint),
        ]

    def plan(self) -> Plan:
        """The next transaction."""
        random = self._random
        isolation = random.choice([IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ])
        self._plans += 1
        if self._plans == self._truncate_at:
            return Plan((Step("TRUNCATE notes"), *self._insert_many()), isolation, commit=True, truncates=True)
        if self._follow_up is not None:
            plan, self._follow_up = self._follow_up, None
            return plan
        private = random.random() < 0.3
        self._pool = self._keys.private if private else self._keys.shared
        if private and random.random() < 0.4:
            return self._overtaken()
        steps: list[Step] = []
        for _ in range(random.choice([1, 1, 1, 2, 3, 4])):
            # A pause before the first change takes the snapshot of REPEATABLE READ long before it; one after it holds
            # the locks. Private keys lock nobody out, and are where a worker could be the only one in the way.
            if random.random() < (0.4 if private else 0.1):
                steps.append(self._pause())
            steps += self._operation()
        if random.random() < 0.05:
            steps.append(self._pause())
        return Plan(tuple(steps), isolation, commit=random.random() > 0.1, private=private)

    def _overtaken(self) -> Plan:
        """A change, followed by another of the same row, during which a worker claims and finishes the first.

        With its snapshot taken before the claim, the second fails if the claim has changed what it changes.
        """
        change, again = self._row(), self._text()
        second = (self._pause(), Step("UPDATE notes SET body = %s WHERE (a, b) = (%s, %s)", (again, *change[:2])))
        self._follow_up = Plan(second, IsolationLevel.REPEATABLE_READ, commit=True, private=True)
        return Plan((Step(UPSERT, change),), IsolationLevel.READ_COMMITTED, commit=True, private=True)

    def _operation(self) -> list[Step]:
        weights = [weight for weight, _ in self._operations]
        (chosen,) = self._random.choices(self._operations, weights)
        return chosen[1]()

    def _pause(self) -> Step:
        return Step("SELECT pg_sleep(%s)", (self._random.uniform(0.01, 0.3),))

    def _key(self) -> Key:
        # the first keys are the hottest: every tenth change is of the first hundredth of them
        return self._pool[int(len(self._pool) * self._random.random() ** 2)]

    def _text(self) -> str | None:
        """A text that no other change has, or, now and then, one that has no passage."""
        if self._random.random() < 0.1:
            return self._random.choice([None, "", "   "])
        self._texts += 1
        words = self._random.choices(WORDS, k=self._random.randint(1, 5))
        return f"w{self._writer}n{self._texts} {' '.join(words)}"

    def _title(self) -> str | None:
        return self._random.choice([None, None, "", "Weather"])

    def _row(self) -> tuple[Any, ...]:
        return (*self._key(), self._title(), self._text())

    def _insert(self) -> list[Step]:
        if self._random.random() < 0.5:
            return [Step("INSERT INTO notes VALUES (%s, %s, %s, %s)", self._row())]
        return [Step("INSERT INTO notes VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", self._row())]

    def _insert_many(self) -> list[Step]:
        rows = [value for _ in range(3) for value in self._row()]
        statement = (
            "INSERT INTO notes VALUES (%s, %s, %s, %s), (%s, %s, %s, %s), (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
        )
        return [Step(statement, tuple(rows))]

    def _update(self) -> list[Step]:
        return [
            Step(
                "UPDATE notes SET title = %s, body = %s WHERE (a, b) = (%s, %s)",
                (self._title(), self._text(), *self._key()),
            )
        ]

    def _update_group(self) -> list[Step]:
        return [Step("UPDATE notes SET body = %s || b WHERE a = %s", (self._text(), self._key()[0]))]

    def _touch(self) -> list[Step]:
        return [Step("UPDATE notes SET seen = seen + 1, body = body WHERE (a, b) = (%s, %s)", self._key())]

    def _delete(self) -> list[Step]:
        return [Step("DELETE FROM notes WHERE (a, b) = (%s, %s)", self._key())]

    def _change_key(self) -> list[Step]:
        return [Step("UPDATE notes SET (a, b) = (%s, %s) WHERE (a, b) = (%s, %s)", (*self._key(), *self._key()))]

    def _reinsert(self) -> list[Step]:
        row = self._row()
        return [
            Step("DELETE FROM notes WHERE (a, b) = (%s, %s)", row[:2]),
            Step("INSERT INTO notes VALUES (%s, %s, %s, %s)", row),
        ]

    def _upsert(self) -> list[Step]:
        return [Step(UPSERT, self._row())]

    def _savepoint(self) -> list[Step]:
        return [*self._update(), SAVEPOINT, *self._upsert(), *self._delete(), ROLLBACK_TO, *self._update()]
