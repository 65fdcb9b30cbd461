"""Patience: how long one waits for code of somebody else, which may not stop when it is told to.

A library that waits with `asyncio.wait_for` loses a cancellation that comes in the moment of an answer (Python 3.11)
and goes on as if nothing had been said. So here whoever waits looks at the clock, and says stop until it is heard.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN = 0.1  # seconds before stop is said once more
LEFT_ALONE = 1.0  # seconds after which nobody waits any longer for what does not hear


async def within(seconds: float, doing: Coroutine[Any, Any, T]) -> T:
    """What it gives. Raises TimeoutError after so many seconds, whatever it makes of that."""
    task = asyncio.create_task(doing)
    try:
        if (await asyncio.wait({task}, timeout=seconds))[0]:
            return task.result()
        raise TimeoutError
    finally:
        await ended(task)


async def ended(task: asyncio.Task[Any], seconds: float = LEFT_ALONE) -> None:
    """Stops a task, and waits for its end, but not for ever. Whoever is told to stop meanwhile does so after it."""
    told: asyncio.CancelledError | None = None
    for _ in range(round(seconds / AGAIN)):
        if task.done():
            break
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=AGAIN)
        except asyncio.CancelledError as error:
            told = error
    if task.done() and not task.cancelled():
        task.exception()  # seen: whoever wanted to know has left
    if told is not None:
        raise told
