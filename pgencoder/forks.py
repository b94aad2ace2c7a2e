"""Renews what a child must not share with its parent when a process forks, as `gunicorn --preload` and Celery do.

A child has a copy of the parent's memory but none of its threads. A lock that another thread holds stays locked in the
child, and both processes would use the same connections.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  it takes its lock before a fork too, after ours: hooks run last to first
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
PATIENCE = 60.0  # seconds that a fork waits for other threads; the download of a model may take longer
WARN_AFTER = 5.0  # seconds until a waiting fork logs a warning

logger = logging.getLogger(__name__)
_renewals: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_inside: list[int] = []  # threads
_left: threading.Condition
_door: threading.Lock  # held during a fork: new threads wait outside, so that the threads inside can finish


def in_children(owner: T, do: Callable[[T], None]) -> None:
    """Call `do(owner)` in each forked child, and in its children, as long as the owner exists."""
    _renewals[owner] = do


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let forks by other threads wait until this context ends; use it for work that a child could not repair."""
    own = threading.get_ident()
    if own in _inside:  # this thread delays forks already
        yield
        return
    with _door, _left:
        _inside.append(own)
    try:
        yield
    finally:
        with _left:
            _inside.remove(own)
            _left.notify_all()


def _quiet() -> bool:
    own = threading.get_ident()
    return all(thread == own for thread in _inside)


def _before() -> None:
    _door.acquire()
    with _left:
        if not _left.wait_for(_quiet, WARN_AFTER):
            logger.warning("a fork waits for other threads that encode or load a model, %d s at most", PATIENCE)
            if not _left.wait_for(_quiet, PATIENCE - WARN_AFTER):
                logger.warning("a process is forked while other threads encode: the child may hang in the model")


def _in_parent() -> None:
    _door.release()


def _in_child() -> None:
    own = threading.get_ident()
    _inside[:] = [thread for thread in _inside if thread == own]
    _make_locks()
    for owner, do in list(_renewals.items()):
        try:
            do(owner)
        except Exception:  # the other owners must still be renewed
            logger.exception("a process that was forked shares something with its parent")


def _make_locks() -> None:
    global _left, _door
    _left, _door = threading.Condition(threading.Lock()), threading.Lock()


_make_locks()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
