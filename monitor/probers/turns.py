"""Turns: work on what others sent, done a little at a time, so that a crowd of answers holds up nobody.

asyncio does everything that is ready before it looks at its timers again. Two hundred answers that arrive at once are
small work each and a stall together. So such work takes turns: a beat of the event loop has a share for it, and what is
left when the share is used up waits for the next beats, in the order in which it came.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHARE = 0.005  # seconds of a beat


class Turns:
    """The turns of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._left = SHARE
        self._beating = False
        self._working = False

    def take(self, work: Callable[[], None]) -> None:
        """Does work: at once where the beat has time for it and nobody waits, else when its turn comes."""
        self._waiting.append(work)
        if not self._beating:
            self._begin()
        if not self._working:
            self._go_on()

    async def do(self, work: Callable[[], T]) -> T:
        """What the work gives, once its turn has come. Raises what it raises."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def turn() -> None:
            if done.done():
                return  # whoever wanted it has gone
            try:
                done.set_result(work())
            except Exception as error:
                done.set_exception(error)

        self.take(turn)
        return await done

    def _begin(self) -> None:
        self._beating, self._left = True, SHARE
        asyncio.get_running_loop().call_soon(self._beat)

    def _beat(self) -> None:
        self._beating = False
        if self._waiting:
            self._begin()
            self._go_on()

    def _go_on(self) -> None:
        self._working = True
        try:
            while self._waiting and self._left > 0:
                began = time.perf_counter()
                try:
                    self._waiting.popleft()()
                finally:
                    self._left -= time.perf_counter() - began
        finally:
            self._working = False
