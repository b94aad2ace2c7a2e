"""Keeps the model busy: while one piece of work is encoded, the next is fetched and the last is written.

The model runs in the calling thread, the two others in a thread each; Postgres, the tokenizer and torch do their work
outside Python's lock. At most three pieces are in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from pgencoder.worker.work import Work


def drain(fetch: Callable[[], Work | None], encode: Callable[[Work], object], store: Callable[[Work], object]) -> bool:
    """Work until `fetch` returns None; return False if it did so at once.

    `store` gets every piece that was fetched, also after an error: it writes what is complete and gives back the rest.
    """
    worked = False
    in_hand: Work | None = None
    stored: Future[object] | None = None
    with ThreadPoolExecutor(1, "fetch") as fetching, ThreadPoolExecutor(1, "store") as storing:
        fetched = fetching.submit(fetch)
        try:
            while (in_hand := fetched.result()) is not None:
                worked = True
                fetched = fetching.submit(fetch)
                encode(in_hand)
                if stored is not None:
                    stored.result()
                stored = storing.submit(store, in_hand)
                in_hand = None
            if stored is not None:
                stored.result()
        except BaseException:  # an interrupt from the keyboard gives the pieces back too
            with suppress(Exception):
                _give_back(in_hand, fetched, store)
            raise
    return worked


def _give_back(in_hand: Work | None, fetched: Future[Work | None], store: Callable[[Work], object]) -> None:
    if in_hand is not None:
        store(in_hand)
    if not fetched.cancel() and (next_one := fetched.result()) is not None and next_one is not in_hand:
        store(next_one)
