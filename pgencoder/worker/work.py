"""The interface between a worker and its sources of work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from pgencoder.db.connection import Connection


class Work:
    """A piece of work: `encode` needs a model and no database, `write` needs a database and no model.

    The worker calls both in this order, in different threads. Then it calls `written`, or `failed` and `give_back`; at
    last `close`. `more` is True if its source probably has more, so that nobody need notify this worker of it.
    """

    more = False
    place = 0  # of its source among the worker's; the worker sets it

    def encode(self) -> Iterator[None]:
        """Run the model; yield before each forward pass, where the worker may do urgent work, or end it."""
        return iter(())

    def write(self, connection: Connection) -> None:
        """Write what is done, and give back the rest; called too if `encode` ended early or raised."""
        raise NotImplementedError

    def written(self) -> None:
        """Report what `write` has done."""

    def failed(self, error: Exception) -> None:
        """Note why `write` raised."""

    def give_back(self, connection: Connection) -> None:
        """Let others have it, after `failed`."""

    def close(self) -> None:
        """Keep no lease any longer."""


class WorkSource:
    """Finds pieces of work of one kind.

    `runs` says how its work is run. "model": encoded in the thread that has the models, one piece at a time, in the
    order of the sources. "inline": short and without a model; run by the thread that looks for work. "beside": long
    and without a model; run in a thread for this source. The last two wait for no other source: the worker asks them
    when it has nothing to encode, and every `seconds` while it has.
    """

    runs: Literal["model", "inline", "beside"] = "model"
    seconds = math.inf

    def next(self, connection: Connection) -> Work | None:
        """Return the next piece of work; None if there is none now. One thread at a time calls it.

        It returns no piece again before that is closed.
        """
        raise NotImplementedError

    def due_in(self) -> float:
        """Return in how many seconds there may be work again that nobody notifies the worker of."""
        return math.inf

    def blocked(self) -> bool:
        """Return True if others keep it from work, and not for long, so that a worker that is to end waits for them."""
        return False

    def extend_leases(self, connection: Connection) -> None:
        """Extend the leases of all pieces that are not closed; another thread calls it."""
