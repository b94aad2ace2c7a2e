"""Processes that fork, such as `gunicorn --preload` and Celery: what a child must not share with its parent.

A child has a copy of the parent's memory and none of its threads: a lock that another thread held stays locked, and
a connection is one that both would talk on.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  it locks too before a fork, and must do so after us: the last comes first
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
PATIENCE = 60.0  # seconds that a fork waits for other threads: a model that is downloaded may take longer
TOLD = 5.0  # seconds after which it is said

logger = logging.getLogger(__name__)
_renewals: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_inside: list[int] = []  # threads
_left: threading.Condition
_door: threading.Lock  # shut while a process forks: who comes waits, so that those inside come to an end


def in_children(owner: T, do: Callable[[T], None]) -> None:
    """Call `do(owner)` in each child that this process forks, and in theirs, as long as the owner lives."""
    _renewals[owner] = do


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a fork by another thread wait for this to end, for what cannot be mended in a child."""
    own = threading.get_ident()
    if own in _inside:  # it holds up a fork already
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
        if not _left.wait_for(_quiet, TOLD):
            logger.warning("a fork waits for other threads that encode or load a model, %d s at most", PATIENCE)
            if not _left.wait_for(_quiet, PATIENCE - TOLD):
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
        except Exception:  # the others are to be renewed still
            logger.exception("a process that was forked shares something with its parent")


def _make_locks() -> None:
    global _left, _door
    _left, _door = threading.Condition(threading.Lock()), threading.Lock()


_make_locks()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
