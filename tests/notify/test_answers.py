"""What a webhook answers, and what becomes of the letter: delivered, tried again when it was asked to, or dead and told
elsewhere. The receiver is real, the clock is moved.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

import pytest
from aiohttp import web

from monitor.core.outbox import LONGEST_PAUSE, Letter, State
from monitor.notify.channel import Channel
from monitor.notify.webhook import Webhook
from monitor.postman import Postman
from monitor.store.memory import MemoryStore
from tests.notify.notices import section
from tests.notify.test_broker_away import write
from tests.probers.misbehaving import WAYS, served
from tests.store.past import NOON, incident
from tests.test_postman import Moving, Receiver, happened

ONE = incident()


class Tried:
    """A letter to a receiver, and a second channel that hears of what is given up."""

    def __init__(self, hook: Channel) -> None:
        self.store, self.clock, self.chat = MemoryStore(), Moving(), Receiver()
        self.clock.at = NOON
        self.postman = Postman(self.store.outbox, self.clock, write, random=Random(1))
        self.postman.use({"hook": hook, "chat": self.chat})

    async def once(self) -> Letter:
        """The letter after what there is to do now."""
        for name in ("hook", "chat"):
            while await self.postman._once(name, self.postman.boxes[name]):
                pass
        (letter,) = [one for one in await self.store.outbox.letters("hook", limit=9) if one.incident == ONE.id]
        return letter


@asynccontextmanager
async def tried(url: str, **keys: Any) -> AsyncIterator[Tried]:
    hook = Webhook(section("webhook", url=url, **keys))
    found, event = Tried(hook), happened(ONE, 1, "opened", "hook")
    await found.store.commit([event])
    found.postman.add(event, True)
    try:
        yield found
    finally:
        await hook.close()


@asynccontextmanager
async def answering(answer: Callable[[int], Any]) -> AsyncIterator[tuple[str, list[str]]]:
    """A receiver that answers the n-th request so, and the ids that came."""
    came: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        came.append(request.headers["Idempotency-Key"])
        found = answer(len(came))
        return await found if asyncio.iscoroutine(found) else found

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", came
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_taken_is_delivered(status: int) -> None:
    """Once, whichever 2xx it is."""
    async with answering(lambda n: web.Response(status=status)) as (url, came), tried(url) as letter:
        assert (await letter.once()).state is State.DELIVERED
        assert came == [f"{ONE.id}-1"]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 405, 410, 413, 415, 422])
async def test_never_is_dead_at_once_and_told_elsewhere(status: int) -> None:
    """Nobody waits a day to hear that nobody was paged."""
    headers = {"Location": "http://127.0.0.1:1/"} if status < 400 else {}
    async with answering(lambda n: web.Response(status=status, headers=headers)) as (url, came), tried(url) as letter:
        assert (await letter.once()).state is State.DEAD
        assert len(came) == 1
        assert [event for _, event in letter.chat.came] == ["summary"]


DATE = format_datetime(datetime(2026, 11, 23, 12, 2, tzinfo=UTC), usegmt=True)
NOW = format_datetime(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        *((status, {}, None) for status in (408, 425, 429, 500, 501, 502, 503, 504, 520, 599)),
        (429, {"Retry-After": "120"}, 120),
        (503, {"Retry-After": "120"}, 120),
        (429, {"Retry-After": DATE, "Date": NOW}, 120),
        (429, {"Retry-After": "86000"}, 24 * 3600 - 60),
        (429, {"Retry-After": "-5"}, None),
    ],
)
async def test_not_now_is_tried_again_when_it_was_asked_to(
    status: int, headers: dict[str, str], seconds: int | None
) -> None:
    """Under the same id, and never before the receiver wants it; what it wants is kept for as long as it matters."""
    answers = [web.Response(status=status, headers=headers), web.Response()]
    async with answering(lambda n: answers[n - 1]) as (url, came), tried(url) as letter:
        waiting = await letter.once()
        assert waiting.state is State.PENDING
        assert waiting.next_at is not None
        pause = waiting.next_at - NOON
        assert pause <= LONGEST_PAUSE if seconds is None else pause <= timedelta(seconds=seconds)
        letter.clock.at = waiting.next_at - timedelta(milliseconds=100)
        assert (await letter.once()).attempts == 1
        letter.clock.at = waiting.next_at + timedelta(seconds=1)
        assert (await letter.once()).state is State.DELIVERED
        assert came == [f"{ONE.id}-1"] * 2


async def test_an_answer_that_comes_too_late_makes_a_repeat_with_the_same_id() -> None:
    """The receiver had it, and could say so only after we had given up."""

    async def late() -> web.Response:
        await asyncio.sleep(0.6)
        return web.Response()

    answer = lambda n: late() if n == 1 else web.Response()  # noqa: E731
    async with answering(answer) as (url, came), tried(url, timeout="200ms") as letter:
        assert (await letter.once()).state is State.PENDING
        letter.clock.at += timedelta(seconds=5)
        assert (await letter.once()).state is State.DELIVERED
        assert came == [f"{ONE.id}-1"] * 2


@pytest.mark.parametrize(
    ("way", "state"),
    [
        *((way, State.PENDING) for way in ("drips headers", "silent", "closes after the request", "binary noise")),
        *((way, State.PENDING) for way in ("SSH banner", "resets after the request", "TLS alert in plain")),
        *((way, State.DELIVERED) for way in ("drips the body", "endless body", "resets amid the body", "gzip bomb")),
    ],
)
async def test_whatever_a_receiver_does_to_the_connection(way: str, state: State) -> None:
    """What said 2xx has it; anything else has not, for now."""
    async with served(WAYS[way]) as server, tried(server.url(), timeout="300ms") as letter:
        assert (await letter.once()).state is state


@pytest.mark.parametrize("way", ["silent", "drips headers"])
async def test_a_receiver_that_never_answers_is_tried_five_times_and_then_once_a_minute(way: str) -> None:
    """Each time for as long as its limit, and under the same id."""
    async with served(WAYS[way]) as server, tried(server.url(), timeout="100ms") as letter:
        for _ in range(60):
            await letter.once()
            letter.clock.at += timedelta(seconds=1)
        met = server.connections
        assert met == 5 or (met == 6 and letter.clock.at - NOON >= timedelta(minutes=1))
        for minute in range(1, 4):
            letter.clock.at += timedelta(seconds=60)
            assert (await letter.once()).attempts == server.connections == met + minute
            assert (await letter.once()).attempts == met + minute


@pytest.mark.parametrize("after", ["120", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_whoever_asks_for_a_pause_gets_it_for_all_that_waits(after: str) -> None:
    """At most for an hour, where what happens meanwhile might be welcome; nothing else is sent before."""
    answers = [web.Response(status=429, headers={"Retry-After": after}), *(web.Response() for _ in range(5))]
    async with answering(lambda n: answers[n - 1]) as (url, came), tried(url) as letter:
        await letter.once()
        other = happened(incident("other"), 1, "opened", "hook")
        await letter.store.commit([other])
        letter.postman.add(other, True)
        rest = timedelta(seconds=120) if after == "120" else timedelta(hours=1)
        letter.clock.at += rest - timedelta(seconds=1)
        await letter.once()
        assert len(came) == 1
        letter.clock.at += timedelta(seconds=1)
        assert (await letter.once()).state is State.DELIVERED
        assert sorted(came) == sorted([f"{ONE.id}-1", f"{ONE.id}-1", f"{other.incident.id}-1"])


async def test_a_plain_receiver_behind_a_tls_address_is_tried_again() -> None:
    """So is one whose certificate nobody vouches for; see the tests of the receiver."""
    async with answering(lambda n: web.Response()) as (url, came), tried(url.replace("http:", "https:")) as letter:
        assert (await letter.once()).state is State.PENDING
        assert came == []
