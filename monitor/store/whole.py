"""Whole: a transaction that has begun is brought to its end even when whoever asked for it is told to stop.

A driver that is cut off in the middle leaves its connection, and the lock it holds, to the garbage collector.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(doing: Coroutine[Any, Any, T]) -> T:
    """What it gives. A cancellation is kept until it is done."""
    task = asyncio.ensure_future(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen; the caller is gone
        raise
