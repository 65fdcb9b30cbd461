"""Loop: the event loop of every command, whose look-ups of names hold up nothing but themselves.

The system's look-up blocks its thread for as long as no name server answers, half a minute and more. In the threads
that all share a few of them would stop everything that needs one, and a process that leaves would wait for them.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(call: Callable[[], T]) -> T:
    """What it gives, called in a thread of its own. Nobody waits for that thread who does not want the answer."""
    return await asyncio.wrap_future(_begun(call))


def _begun(call: Callable[[], T]) -> Future[T]:
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()
    threading.Thread(target=_answer, args=(answer, call), name="apart", daemon=True).start()
    return answer


def _answer(answer: Future[T], call: Callable[[], T]) -> None:
    try:
        found = call()
    except Exception as error:
        answer.set_exception(error)
    else:
        answer.set_result(found)
    finally:
        del answer  # an error holds on to this frame, which would hold on to the error


class Loop(asyncio.SelectorEventLoop):
    """As the usual one; what is looked up already is not looked up a second time beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._sought: dict[tuple[Any, ...], asyncio.Task[Any]] = {}

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """See `socket.getaddrinfo`."""
        sought = (host, port, family, type, proto, flags)
        if sought not in self._sought:
            task = self._sought[sought] = self.create_task(apart(partial(socket.getaddrinfo, *sought)))
            task.add_done_callback(lambda done: self._found(sought, done))
        return await asyncio.shield(self._sought[sought])

    def _found(self, sought: tuple[Any, ...], done: asyncio.Task[Any]) -> None:
        del self._sought[sought]
        if not done.cancelled():
            done.exception()  # seen, also when nobody waits for it any more
