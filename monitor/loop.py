"""Loop: the event loop of every command. libuv under asyncio's interface costs less than Python's own
(docs/performance.md), and look-ups of names hold up nothing but themselves.

The system's look-up blocks its thread for as long as no name server answers, half a minute and more. In the threads
that all share a few of them would stop everything that needs one, and a process that leaves would wait for them.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import uvloop

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


def _is_address(host: Any) -> bool:
    """Whether there is nothing to look up."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, TypeError):
        return False
    return True


class Loop(uvloop.Loop):
    """As uvloop's, but names are looked up in threads that nobody else needs, and what is looked up already is not
    looked up a second time beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._sought: dict[tuple[Any, ...], asyncio.Task[Any]] = {}

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """See `socket.getaddrinfo`."""
        if _is_address(host):
            own = socket.AF_INET6 if ":" in host else socket.AF_INET
            if isinstance(port, int) and family in (0, own) and not flags:  # it spells its own answer
                return [(own, type or socket.SOCK_STREAM, proto, "", (host, port) + (0, 0) * (own == socket.AF_INET6))]
            return socket.getaddrinfo(host, port, family, type, proto, flags)
        sought = (host, port, family, type, proto, flags)
        if sought not in self._sought:
            task = self._sought[sought] = self.create_task(apart(partial(socket.getaddrinfo, *sought)))
            task.add_done_callback(lambda done: self._found(sought, done))
        return await asyncio.shield(self._sought[sought])

    def _found(self, sought: tuple[Any, ...], done: asyncio.Task[Any]) -> None:
        del self._sought[sought]
        if not done.cancelled():
            done.exception()  # seen, also when nobody waits for it any more

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **more: Any) -> Any:
        """See `asyncio`. uvloop would look a name up in one of four threads of its own."""
        if host is None or _is_address(host):
            return await super().create_connection(protocol_factory, host, port, **more)
        wanted = {one: more.pop(one, 0) for one in ("family", "proto", "flags")}
        found = await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, **wanted)
        if more.get("ssl") and more.get("server_hostname") is None:
            more["server_hostname"] = host
        for position, (_, _, _, _, (ip, number, *_)) in enumerate(found, 1):
            try:
                return await super().create_connection(protocol_factory, ip, number, **more)
            except OSError:
                if position == len(found):
                    raise
        raise OSError(f"no address is known for {host}")


def run(job: Coroutine[Any, Any, T]) -> T:
    """What a job gives, run to its end in a loop of its own. Raises what it raises, and KeyboardInterrupt."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(job)
