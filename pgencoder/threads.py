"""Makes functions awaitable: they do the same work in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(run: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a coroutine function that runs `run` in a thread.

    The event loop is not blocked, because models and the driver release Python's global lock while they work.
    """

    @wraps(run)
    async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(run, *args, **kwargs)

    awaited.__doc__ = f"Like `{run.__name__}`, but awaitable: it runs in a thread."
    return awaited
