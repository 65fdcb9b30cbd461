"""Names that nobody can look up hold up nothing but who asked for them."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.loop import Loop, apart
from tests.test_circulation import until


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Name servers that never answer, and what they were asked."""
    asked, over = list[str](), threading.Event()

    def hangs(host: str, *given: Any) -> list[Any]:
        asked.append(host)
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    yield asked
    over.set()


def test_a_look_up_that_hangs_keeps_nobody_from_leaving(dead: list[str]) -> None:
    """Neither does it take one of the threads that all share."""

    async def busy() -> None:
        names = [f"host{number}.example" for number in range(40)]
        tasks = [asyncio.create_task(asyncio.open_connection(name, 25)) for name in names]
        await until(lambda: len(dead) == len(names))
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
        assert not any(task.done() for task in tasks)

    began = time.monotonic()
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(busy())
    assert time.monotonic() - began < 20


def test_what_is_being_looked_up_is_not_looked_up_again(dead: list[str]) -> None:
    """However many want to know; whoever gives up leaves the others theirs."""

    async def many() -> None:
        tasks = [asyncio.create_task(asyncio.open_connection("mail.example", 25)) for _ in range(20)]
        await until(lambda: dead)
        tasks[0].cancel()
        await asyncio.wait({tasks[0]})
        assert not any(task.done() for task in tasks[1:])
        assert dead == ["mail.example"]

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(many())


def test_names_are_found_as_ever() -> None:
    """And what does not exist is told."""

    async def looks() -> None:
        loop = asyncio.get_running_loop()
        assert ("127.0.0.1", 80) in [found[4] for found in await loop.getaddrinfo("localhost", 80)]
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("no-such-name.invalid", 80, flags=socket.AI_NUMERICHOST)
        assert await apart(lambda: 7) == 7

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(looks())
