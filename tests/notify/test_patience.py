"""Code that does not stop when it is told to is left in its time all the same."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from monitor.core.outbox import State
from monitor.notify.channel import Channel
from monitor.notify.email import Email
from monitor.notify.patience import ended, within
from monitor.postman import Postman
from monitor.store.memory import MemoryStore
from tests.notify.notices import channel, notice, section
from tests.notify.test_broker_away import write
from tests.notify.test_mqtt import until
from tests.probers.brokers import Client, playing
from tests.store.past import NOON, incident
from tests.test_postman import Moving, Receiver, happened

STAGES = ("banner", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "quit")
MAIL = {"username": "u", "password": "p", "from": "a@shop.example", "to": ["ann@shop.example"], "timeout": "30s"}


async def deaf(times: float, over: asyncio.Event) -> None:
    """Goes on as if nothing had been said, so many times."""
    while not over.is_set():
        try:
            await over.wait()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


@pytest.mark.parametrize("times", [0, 3, math.inf])
async def test_a_limit_holds_whatever_becomes_of_a_cancellation(times: float) -> None:
    """Three times nobody heard; and what never hears is left alone."""
    over = asyncio.Event()
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await within(0.05, deaf(times, over))
    over.set()


async def test_within_its_time_it_gives_what_it_gives() -> None:
    """Or raises what it raises."""

    async def gives(value: int) -> int:
        return 10 // value

    assert await within(5, gives(2)) == 5
    with pytest.raises(ZeroDivisionError):
        await within(5, gives(0))


class Mailer:
    """A mail server that says nothing any more from a stage on; `silent` from now on."""

    def __init__(self, stage: str = "") -> None:
        self.stage, self.met, self.silent, self.taken = stage, 0, asyncio.Event(), 0

    async def __call__(self, client: Client) -> None:
        """The part it plays."""
        await self._says(client, "banner", b"220 mail.test\r\n")
        while line := await client.reader.readline():
            word = line.split()[0].decode().upper()
            if word == "EHLO":
                offer = b"250-STARTTLS\r\n" if self.stage in ("starttls", "tls") else b""
                await self._says(client, "ehlo", b"250-mail.test\r\n" + offer + b"250 AUTH PLAIN\r\n")
            elif word == "STARTTLS":
                await self._says(client, "starttls", b"220 go on\r\n")
                await self._says(client, "tls", b"")
            elif word == "DATA":
                await self._says(client, "data", b"354 go on\r\n")
                while await client.reader.readline() != b".\r\n":
                    pass
                self.taken += 1
                await self._says(client, "body", b"250 taken\r\n")
            else:
                answer = {"AUTH": b"235 ok\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n")
                await self._says(client, word.lower(), answer)

    async def _says(self, client: Client, stage: str, answer: bytes) -> None:
        if stage == self.stage or self.silent.is_set():
            self.met += 1
            await asyncio.Event().wait()
        await client.say(answer)


@asynccontextmanager
async def mailing(server: Mailer) -> AsyncIterator[Channel]:
    security = "starttls" if server.stage in ("starttls", "tls") else "none"
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(playing(server))
        keys = {**MAIL, "server": f"127.0.0.1:{port}", "security": security}
        yield await stack.enter_async_context(channel("email", **keys))


@pytest.mark.parametrize("leaves", [False, True], ids=["reload", "stop"])
async def test_a_mail_server_that_hangs_keeps_no_postman_from_stopping(leaves: bool) -> None:
    """At any point of the dialogue. What it was given waits, or is with another channel; what it has taken, and only
    could not say good-bye after, is delivered."""
    servers, others = {stage: Mailer(stage) for stage in STAGES}, {stage: Receiver() for stage in STAGES}
    store, clock = MemoryStore(), Moving()
    clock.at = NOON
    await store.commit([happened(incident(), 1, "opened", *STAGES)])
    async with AsyncExitStack() as stack:
        mails = {stage: await stack.enter_async_context(mailing(server)) for stage, server in servers.items()}
        postman = Postman(store.outbox, clock, write, random=Random(1))
        postman.use(mails)
        task = asyncio.create_task(postman.run())
        await until(lambda: all(server.met for server in servers.values()))
        if not leaves:
            postman.use(others)
            await until(lambda: not sum(count for count, _ in postman.pending().values()))
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait({task})
    states = {one.channel: one.state for one in await store.outbox.letters(limit=20)}
    pending = dict.fromkeys(STAGES, State.PENDING if leaves else State.DELIVERED)
    assert states == {**pending, "quit": State.DELIVERED}
    assert [stage for stage, other in others.items() if other.came] == ([] if leaves else list(STAGES[:-1]))
    assert all(one.claimed_until is None for one in await store.outbox.letters(limit=20))


async def test_no_moment_of_a_dialogue_is_the_wrong_one_to_stop() -> None:
    """The server answers at once, and says nothing any more from the moment on in which we are to stop."""
    for steps in range(0, 90, 3):
        server = Mailer()
        async with mailing(server) as email:
            task = asyncio.create_task(email.deliver(notice()))
            for _ in range(steps):
                await asyncio.sleep(0)
            server.silent.set()
            await ended(task)
            assert task.done()
            coroutines = [one.get_coro() for one in asyncio.all_tasks()]
            assert not [one for one in coroutines if getattr(one, "__name__", "") in ("_exchange", "quit")]


async def test_a_server_that_never_ends_its_answer_is_left_when_the_time_is_up() -> None:
    """Line by line, each soon enough for a limit of its own."""

    async def endless(client: Client) -> None:
        await client.say(b"220 mail.test\r\n")
        while True:
            await client.say(b"250-more\r\n")
            await asyncio.sleep(0.02)

    async with playing(endless) as port:
        email = Email(section("email", **{**MAIL, "timeout": "300ms"}, server=f"127.0.0.1:{port}"))
        task = asyncio.create_task(email.deliver(notice()))
        async with asyncio.timeout(5):
            await asyncio.wait({task})
        assert "within 0.3 s" in str(task.exception())
