"""Whole: a transaction that has begun is brought to its end even when whoever asked for it is told to stop,
or waits no longer.

A driver that is cut off in the middle leaves its connection, and the lock it holds, to the garbage collector.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from monitor.store.contract import StoreFailed

PATIENCE = 5.0  # seconds that whoever has something else to do waits for the store

T = TypeVar("T")


async def to_the_end(doing: Coroutine[Any, Any, T]) -> T:
    """What it gives. A cancellation is kept until it is done."""
    task = asyncio.ensure_future(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        _see(task)
        raise


async def in_time(doing: Coroutine[Any, Any, T], where: str, patience: float = PATIENCE) -> T:
    """The same, for at most so many seconds: then StoreFailed, while the transaction goes on to its end, and it may yet
    be stored."""
    task = asyncio.ensure_future(doing)
    task.add_done_callback(_see)

    async def waited() -> T:
        if not (await asyncio.wait({task}, timeout=patience))[0]:
            raise StoreFailed(f"{where}: no answer within {patience:g} s")
        return await task

    return await to_the_end(waited())


def _see(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # seen; the caller is gone
