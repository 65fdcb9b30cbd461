"""Subscribers told by the real circulation, over a real store, a real mail server and real receivers on loopback."""

import asyncio
import email
import email.policy
import inspect
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor import circulation as rules
from monitor.circulation import Circulation
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.effect import Refusal
from monitor.core.incident import Incident, Stage, Update, with_update
from monitor.core.site import Site
from monitor.core.subscriber import MOST_ASKED, Subscriber
from monitor.notify import pace
from monitor.pages.translate import Speech
from monitor.store.memory import MemoryStore
from monitor.web.ticket import CONFIRM, LEAVE, new_id
from tests.store.past import NOON, incident, saved
from tests.stories.beats import module, platform
from tests.test_postman import Moving

SITE = Site("Shop", "https://status.example.com", ("en", "pt-BR"), subscribe_url="https://subscribe.example.com")
SPEECH = Speech.load(SITE.languages, Path(__file__).parents[1] / "site")
SHOP = platform(module("catalog"), module("checkout"))
OPENED = with_update(replace(incident(), published_at=NOON, updates=()), Update(NOON, Stage.IDENTIFIED, "opened", {}))
ENDED = replace(
    with_update(OPENED, Update(NOON + timedelta(minutes=9), Stage.RESOLVED, "resolved", {})),
    resolved_at=NOON + timedelta(minutes=9),
)


class Postbox:
    """A mail server that keeps what it is given. `answer` says what becomes of a receiver."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer: Callable[[str], str] = lambda address: "250 OK"
        self.takes = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        said = self.answer(address)
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.takes.startswith("2"):
            read = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)  # type: ignore[arg-type]
            assert isinstance(read, EmailMessage)
            self.mails.append(read)
        return self.takes

    def to(self, address: str) -> list[str]:
        """The events of which an address was told, in order."""
        return [str(one["X-Monitor-Event"]) for one in self.mails if one["To"] == address]


@dataclass
class Hooks:
    """Receivers by the path they are called at: what each got, and how it answers."""

    url: str = ""
    got: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    hang: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.hang:
            await asyncio.sleep(60)
        if name in self.late:
            await asyncio.sleep(1)
        body = await request.json()
        self.got.setdefault(name, []).append(body)
        return web.json_response({"challenge": body.get("challenge")}, status=self.status.get(name, 200))

    def events(self, name: str) -> list[str]:
        return [one["event"] for one in self.got.get(name, []) if "event" in one]


class World:
    """A circulation that runs, and everything around it."""

    def __init__(self, port: int, hooks: Hooks, postbox: Postbox) -> None:
        self.store, self.clock, self.hooks, self.postbox = MemoryStore(), Moving(), hooks, postbox
        mail = {
            **{"kind": "email", "server": f"127.0.0.1:{port}", "security": "none", "username": None, "password": None},
            **{"from": "Shop <status@example.com>", "to": ["ops@example.com"], "timeout": timedelta(seconds=5)},
            **{"ca_file": None, "language": "en"},
        }
        subscribers = {"through": None, "webhooks": True, "allow_private": True}
        self.config = Config(SHOP, SITE, sections={"channels": {"mail": mail}, "subscribers": subscribers})
        self.board = Board(SHOP)
        self.circulation = self.fresh()
        self._running: asyncio.Task[None] | None = None

    def fresh(self) -> Circulation:
        """Another one over the same store: a restart."""
        return Circulation(self.config, self.store, self.clock, lambda: self.board, lambda: SPEECH, b"s" * 32)

    def start(self) -> None:
        self._running = asyncio.create_task(self.circulation.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self.circulation.close()

    async def restart(self) -> None:
        await self.stop()
        self.circulation = self.fresh()
        self.start()

    def ask(self, address: str, **about: Any) -> None:
        kind = "email" if "@" in address else "webhook"
        url = address if kind == "email" else f"{self.hooks.url}/{address}"
        assert self.circulation.ask(Subscriber(new_id(), kind, url, "en", self.clock.now(), **about))

    async def saves(self, one: Incident) -> None:
        await self.store.commit([saved(one)])
        self.circulation.nudge()

    async def roll(self) -> dict[str, Subscriber]:
        return {one.address.rpartition("/")[2]: one for one in await self.store.subscribers.all()}

    async def nobody_is_left(self) -> bool:
        return not await self.store.subscribers.all()

    async def confirms(self, address: str) -> Subscriber | Refusal:
        """Follows the link of the newest mail that asks."""
        await until(lambda: "confirm" in self.postbox.to(address))
        asked = [one for one in self.postbox.mails if one["To"] == address and one["X-Monitor-Event"] == "confirm"][-1]
        body = asked.get_body(("plain",))
        assert body is not None
        found = re.search(r"/subscribe/confirm/(\S+)", body.get_content())
        assert found is not None
        assert self.circulation.tickets is not None
        id = self.circulation.tickets.read(CONFIRM, found[1])
        assert id is not None
        return await self.circulation.confirm(id)


async def until(true: Callable[[], object], limit: float = 15) -> None:
    """Waits for a state."""
    for _ in range(round(limit * 100)):
        found = true()
        if await found if inspect.isawaitable(found) else found:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(rules, "LOOK_EVERY", 0.02)
    hooks, postbox = Hooks(), Postbox()
    app = web.Application()
    app.add_routes([web.post("/{name}", hooks.take)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="mx", loop=loop), "127.0.0.1", 0)
    one = World(server.sockets[0].getsockname()[1], hooks, postbox)
    one.start()
    yield one
    await one.stop()
    server.close()
    await runner.cleanup()


async def test_an_address_is_told_once_it_has_confirmed(world: World) -> None:
    """And not before, whatever happens meanwhile."""
    world.ask("ana@example.com")
    await until(lambda: world.postbox.to("ana@example.com") == ["confirm"])
    await world.saves(OPENED)
    assert isinstance(await world.confirms("ana@example.com"), Subscriber)
    await world.saves(ENDED)
    await until(lambda: world.postbox.to("ana@example.com") == ["confirm", "resolved"])


async def test_a_program_confirms_by_its_answer(world: World) -> None:
    """Or is never called again; by the second body it knows the incident whole."""
    world.hooks.status["mute"] = 500
    world.ask("hook")
    world.ask("mute")
    await until(lambda: world.hooks.got.get("hook") and world.hooks.got.get("mute"))
    await until(lambda: any(one.confirmed_at for one in world.circulation._roll.values()))
    await world.saves(OPENED)
    await world.saves(ENDED)
    await until(lambda: world.hooks.events("hook") and world.hooks.events("hook")[-1] in ("resolved", "summary"))
    assert world.hooks.events("mute") == []
    assert world.hooks.got["hook"][-1]["incident"]["id"] == OPENED.id


async def test_the_answer_to_a_question_tells_nothing_and_costs_nothing(world: World) -> None:
    """One address is asked a few times and no more, whoever wants it to be; what it chose holds until it confirms."""
    world.ask("ana@example.com", components=frozenset({"a"}))
    await world.confirms("ana@example.com")
    for _ in range(MOST_ASKED + 5):
        world.ask("ANA@example.com", components=frozenset({"b"}))
    world.ask("bea@example.com")
    await until(lambda: world.postbox.to("bea@example.com"))
    await until(lambda: len(world.postbox.to("ANA@example.com")) == MOST_ASKED)
    assert len(world.postbox.mails) == MOST_ASKED + 2
    assert (await world.roll())["ana@example.com"].components == frozenset({"a"})
    assert isinstance(await world.confirms("ANA@example.com"), Subscriber)
    everybody = await world.roll()
    assert set(everybody) == {"ANA@example.com", "bea@example.com"}
    assert everybody["ANA@example.com"].components == frozenset({"b"})


async def test_who_does_not_confirm_is_forgotten(world: World) -> None:
    """After 48 hours nothing is left, and the link is worth nothing a moment before the sweep."""
    world.ask("ana@example.com")
    await until(lambda: world.postbox.to("ana@example.com"))
    world.clock.at += timedelta(hours=48)
    found = await world.confirms("ana@example.com")
    assert isinstance(found, Refusal)
    await world.restart()
    await until(world.nobody_is_left)


async def test_who_is_erased_hears_nothing_any_more(world: World) -> None:
    """And their link ends it again and again."""
    world.ask("ana@example.com")
    one = await world.confirms("ana@example.com")
    assert isinstance(one, Subscriber)
    assert world.circulation.tickets is not None
    ticket = world.circulation.tickets.leave_url(one.id).rpartition("/")[2]
    id = world.circulation.tickets.read(LEAVE, ticket)
    assert id == one.id
    assert await world.circulation.erase([id]) is None
    assert await world.circulation.erase([id]) is None
    world.ask("bea@example.com")
    await world.confirms("bea@example.com")
    await world.saves(OPENED)
    await until(lambda: "opened" in world.postbox.to("bea@example.com"))
    assert world.postbox.to("ana@example.com") == ["confirm"]


async def test_who_does_not_exist_is_removed(world: World) -> None:
    """A mailbox that the server refuses for good, and a receiver that says it is gone."""
    for address in ("ana@example.com", "bea@example.com"):
        world.ask(address)
        await world.confirms(address)
    world.ask("hook")
    await until(lambda: len([one for one in world.circulation._roll.values() if one.confirmed_at]) == 3)
    world.postbox.answer = lambda address: "550 5.1.1 who?" if address.startswith("ana") else "250 OK"
    world.hooks.status["hook"] = 410
    await world.saves(OPENED)
    await until(lambda: len(world.circulation._roll) == 1)
    assert set(await world.roll()) == {"bea@example.com"}


async def test_a_mail_server_that_takes_nothing_is_nobodys_fault_who_subscribed(world: World) -> None:
    """They stay, and are told once it works again, of everything in one message."""
    for number in range(8):
        world.ask(f"c{number}@example.com")
        await world.confirms(f"c{number}@example.com")
    world.postbox.mails.clear()
    world.postbox.takes = "554 no"
    await world.saves(OPENED)
    await asyncio.sleep(0.2)
    await world.saves(ENDED)
    await asyncio.sleep(0.2)
    assert world.postbox.mails == []
    assert len(await world.roll()) == 8
    world.postbox.takes = "250 OK"
    world.clock.at += timedelta(minutes=10)
    await until(lambda: len(world.postbox.mails) == 8)
    assert {str(one["X-Monitor-Event"]) for one in world.postbox.mails} == {"summary"}


async def test_a_relay_that_refuses_everybody_removes_nobody_but_a_few(world: World) -> None:
    """More refusals than deliveries are the server's doing."""
    for number in range(12):
        world.ask(f"c{number}@example.com")
        await world.confirms(f"c{number}@example.com")
    world.circulation._carrier._arrived = 0
    world.postbox.answer = lambda address: "550 relaying denied"
    await world.saves(OPENED)
    await until(lambda: sum(one.attempts for one in world.circulation._roll.values()) >= 7)
    assert len(await world.roll()) >= 7


async def test_who_hangs_keeps_nobody_waiting(world: World) -> None:
    """Sixty receivers, a third of which never answer."""
    names = [f"h{number}" for number in range(60)]
    for name in names:
        world.ask(name)
    await until(lambda: sum(1 for one in world.circulation._roll.values() if one.confirmed_at) == 60)
    world.hooks.hang = set(names[::3])
    await world.saves(OPENED)
    well = [name for name in names if name not in world.hooks.hang]
    await until(lambda: all(world.hooks.events(name) == ["opened"] for name in well))


async def test_a_restart_tells_everybody_the_rest_and_nothing_twice(world: World) -> None:
    """Whoever was told and not yet written down is told again under the same id."""
    names = [f"h{number}" for number in range(30)]
    for name in names:
        world.ask(name)
    await until(lambda: sum(1 for one in world.circulation._roll.values() if one.confirmed_at) == 30)
    await world.saves(OPENED)
    await until(lambda: any(world.hooks.events(name) for name in names))
    await world.restart()
    await until(lambda: all(world.hooks.events(name) for name in names))
    await world.restart()
    await world.saves(ENDED)
    await until(lambda: all({"resolved", "summary"} & {*world.hooks.events(name)} for name in names))
    for name in names:
        ids = [one["event_id"] for one in world.hooks.got[name] if "event" in one]
        assert list(dict.fromkeys(ids)) == [f"{OPENED.id}-1", f"{OPENED.id}-2"]


async def test_logs_name_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Neither when all is well nor when an address is refused, hangs or does not exist."""
    caplog.set_level("DEBUG", logger="monitor")
    world.ask("ana@example.com")
    await world.confirms("ana@example.com")
    world.postbox.takes = "554 ana@example.com does not want this"
    await world.saves(OPENED)
    await until(lambda: "do not leave" in caplog.text)
    world.postbox.answer = lambda address: "550 ana@example.com is not here"
    world.clock.at += timedelta(minutes=10)
    await until(world.nobody_is_left)
    assert "removed" in caplog.text
    assert "ana" not in caplog.text


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_is_set_keeps_nobody_waiting_and_removes_nobody(world: World, days: int) -> None:
    """Who could not be reached is tried after its pause, what may still change is told after its minute, and mails
    leave again a minute after a server took none."""
    world.ask("hook")
    world.ask("ana@example.com")
    await world.confirms("ana@example.com")
    await until(lambda: sum(1 for one in world.circulation._roll.values() if one.confirmed_at) == 2)
    await world.saves(OPENED)
    await until(lambda: world.hooks.events("hook") and len(world.postbox.to("ana@example.com")) == 2)
    world.hooks.status["hook"], world.postbox.takes = 500, "451 not now"
    thought = with_update(OPENED, Update(world.clock.at, Stage.IDENTIFIED, "cause_changed", {}))
    world.clock.at += timedelta(minutes=5)
    await world.saves(thought)
    await until(lambda: len(world.hooks.events("hook")) == 2)
    await until(lambda: all(one.attempts for one in world.circulation._roll.values()))
    world.clock.set(timedelta(days=days))
    world.hooks.status.clear()
    world.postbox.takes = "250 OK"
    for _ in range(3):
        world.clock.at += timedelta(minutes=2)
        await asyncio.sleep(0.05)
    await until(lambda: len(world.hooks.events("hook")) == 3 and len(world.postbox.to("ana@example.com")) == 3)
    assert len(await world.roll()) == 2


async def test_whoever_failed_for_days_is_removed_by_no_clock_that_jumps(world: World) -> None:
    """What is new by the new date is tried again, and nobody has failed for longer because of that."""

    async def tried(name: str) -> None:
        before = sum(one.attempts for one in world.circulation._roll.values())
        fresh = replace(incident(name, world.clock.at), published_at=world.clock.at, updates=())
        await world.saves(with_update(fresh, Update(world.clock.at, Stage.IDENTIFIED, "opened", {})))
        await until(lambda: sum(one.attempts for one in world.circulation._roll.values()) != before)

    world.ask("hook")
    await until(lambda: any(one.confirmed_at for one in world.circulation._roll.values()))
    world.hooks.status["hook"] = 500
    await tried("first")
    world.clock.set(timedelta(days=5))
    world.clock.at += timedelta(minutes=6)
    await tried("second")
    assert len(await world.roll()) == 1


async def test_who_takes_long_to_answer_keeps_nobody_waiting_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told beside those who are in doubt, until they answer soon."""
    monkeypatch.setattr(pace, "SLOW", -1.0)
    world.ask("hook")
    await until(lambda: any(one.confirmed_at for one in world.circulation._roll.values()))
    (id,) = world.circulation._roll
    assert world.circulation._pace.is_slow(id)
    monkeypatch.setattr(pace, "SLOW", 2.0)
    await world.saves(OPENED)
    await until(lambda: world.hooks.events("hook"))
    await until(lambda: not world.circulation._pace.is_slow(id))


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_thousand_receivers_a_fifth_of_which_is_slow_or_dead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who answer hear of each event once and in order; the dead are tried no oftener than their pauses allow, and
    what waits for them takes no memory that grows."""
    monkeypatch.setattr("monitor.notify.outward.LIMIT", timedelta(seconds=2))
    world.circulation.use(world.config)  # with that limit
    names = [f"r{number}" for number in range(1000)]
    dead, slow = set(names[::10]), set(names[1::10])
    for name in names:
        one = Subscriber(new_id(), "webhook", f"{world.hooks.url}/{name}", "en", world.clock.at)
        await world.store.subscribers.add(replace(one, confirmed_at=world.clock.at))
    await world.restart()
    world.hooks.hang, world.hooks.late = dead, slow
    await world.saves(OPENED)
    heard = [name for name in names if name not in dead]
    await until(lambda: all(world.hooks.events(name) for name in heard), 90)
    before = sum(one.attempts for one in world.circulation._roll.values())
    await world.saves(ENDED)
    await until(lambda: all(len(world.hooks.events(name)) == 2 for name in heard if name not in slow), 30)
    await until(lambda: all(len(world.hooks.events(name)) == 2 for name in heard), 60)
    assert {tuple(world.hooks.events(name)) for name in heard} == {("opened", "resolved")}
    assert before <= 2 * len(dead)
    assert len(world.circulation._busy) <= len(dead)
