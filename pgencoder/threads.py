"""Methods for event loops: the same work, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(run: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same to be awaited: models and the driver work without Python's lock, so the event loop goes on meanwhile."""

    @wraps(run)
    async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(run, *args, **kwargs)

    awaited.__doc__ = f"`{run.__name__}`, to be awaited."
    return awaited
