"""The core and the agents of two places over a real broker: what comes in, what goes out, and what is not believed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.config import Broker, Config, Settings
from monitor.core.effect import Ask, AskCanaries, Hold
from monitor.core.history import board_from
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.desk import Desk
from monitor.jobs import guarded
from monitor.places import exchange, topics
from monitor.places.exchange import Exchange
from monitor.places.link import Came, Link
from monitor.places.seal import Seal
from monitor.places.wire import (
    Acknowledged,
    Batch,
    Configuration,
    Document,
    Heartbeat,
    Order,
    Orders,
    Time,
    pack,
    unpack,
)
from monitor.store.memory import MemoryStore
from tests.notify.test_mqtt import mosquitto, until
from tests.places.test_ingest import Idle
from tests.places.test_link import PLAIN, RULES
from tests.processes.running import free_port
from tests.stories.beats import module, observation, platform

SECRETS = {"sao": "the secret of São Paulo, long enough", "mia": "the secret of Miami, and long enough"}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That of a Mosquitto that lets anybody in."""
    port = free_port()
    with mosquitto(tmp_path, PLAIN.format(port)):
        yield port


class Core:
    """A desk over one module that both places look at, and its exchange at work."""

    def __init__(self, port: int, store: MemoryStore) -> None:
        world = platform(module("a", places=("sao", "mia")), locations={"here": "0", "sao": "1", "mia": "2"})
        broker = Broker(f"mqtt://127.0.0.1:{port}")
        self.config = Config(world, settings=Settings(broker=broker), place_secrets=SECRETS)
        self.store, self.clock = store, SystemClock()
        self.exchange = Exchange(self.config, self.clock, Idle())

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Core"]:
        """Runs as in the application."""
        memory = await self.store.recall(now())
        self.desk = Desk(board_from(self.config.platform, memory), self.store, self.exchange, self.clock)
        self.exchange.begin(self.desk, memory.marks)
        jobs = {**self.exchange.jobs(), "desk": self.desk.sit, "writer": self.desk.write}
        tasks = [asyncio.create_task(guarded(name, job)) for name, job in jobs.items()]
        try:
            await until(lambda: self.exchange.trouble is None)
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def kept(self) -> list[Observation]:
        """The runs that are stored."""
        found = await self.store.observations("a", since=now() - timedelta(days=1), until=now(), limit=9999)
        return [one for one, _ in found]


class Agent:
    """The other end, as far as its messages go."""

    def __init__(self, port: int, location: str = "sao", name: str = "box-1") -> None:
        self.location, self.name, self.seal = location, name, Seal(SECRETS[location], location)
        self.heard: list[Document] = []
        filters = (topics.orders(location), topics.configuration(location), topics.acknowledged(location, name))
        filters = (*filters, topics.time(location, name))
        broker = Broker(f"mqtt://127.0.0.1:{port}")
        self.link = Link(broker, f"{location}-{name}", self._receive, dict.fromkeys(filters, 1))

    async def _receive(self, came: Came) -> None:
        self.heard.append(unpack(self.seal, came.topic, came.payload))

    @asynccontextmanager
    async def there(self) -> AsyncIterator["Agent"]:
        task = asyncio.create_task(self.link.keep())
        try:
            await until(self.link.online.is_set)
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def say(self, topic: str, document: Document, seal: Seal | None = None) -> None:
        await self.link.publish(topic, pack(seal or self.seal, topic, document))

    async def beat(self, **more: object) -> Heartbeat:
        beat = Heartbeat(self.name, "e1", now(), now(), **more)  # type: ignore[arg-type]
        await self.say(topics.heartbeat(self.location), beat)
        return beat

    async def bring(self, first: int, last: int, outcome: str = "+") -> Batch:
        at = now() - timedelta(seconds=1)
        items = [
            observation("a", at + timedelta(milliseconds=number), outcome, self.location)
            for number in range(first, last + 1)
        ]
        batch = Batch(self.name, "e1", first, 1, now(), tuple(items))
        await self.say(topics.observations(self.location), batch)
        return batch

    def got(self, kind: type[Document]) -> list[Document]:
        return [one for one in self.heard if isinstance(one, kind)]


async def test_what_an_agent_saw_is_judged_stored_and_acknowledged(port: int) -> None:
    """Its heartbeat is answered at once, its share of the configuration is there, its clock and queue are known."""
    core, agent = Core(port, MemoryStore()), Agent(port)
    async with core.at_work(), agent.there():
        await until(lambda: agent.got(Configuration))
        beat = await agent.beat(waiting=3, oldest=2.5, skew=0.25)
        await until(lambda: agent.got(Time))
        (answer,) = agent.got(Time)
        assert isinstance(answer, Time)
        assert answer.echo == beat.at
        assert timedelta(0) <= answer.sent_at - answer.received_at < timedelta(seconds=1)
        batch = await agent.bring(1, 40)
        await until(lambda: agent.got(Acknowledged))
        assert agent.got(Acknowledged) == [Acknowledged("box-1", "e1", 40)]
        assert len(await core.kept()) == 40
        assert core.desk.board.status("a") is Status.UP
        await agent.say(topics.observations("sao"), batch)
        await until(lambda: len(agent.got(Acknowledged)) == 2)
        assert len(await core.kept()) == 40
        there, away = core.exchange.attendance()
        assert (there.agents, there.waiting, there.skew, there.batches, there.results) == (1, 3, 0.25, 2, 40)
        assert (there.repeated, there.heard_at is not None) == (40, True)
        assert (away.location, away.agents, away.heard_at) == ("mia", 0, None)


async def test_what_comes_while_the_core_is_away_is_there_when_it_is_back(port: int) -> None:
    """The broker kept it; what had been stored before is not stored twice."""
    store, agent = MemoryStore(), Agent(port)
    async with agent.there():
        async with Core(port, store).at_work():
            await agent.bring(1, 5)
            await until(lambda: agent.got(Acknowledged))
        await agent.bring(6, 9)
        async with Core(port, store).at_work() as core:
            await until(lambda: Acknowledged("box-1", "e1", 9) in agent.got(Acknowledged))
            assert len(await core.kept()) == 9


async def test_a_place_that_the_broker_keeps_from_us_keeps_no_other_from_its_share(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first one may not be written to: that is loud, and the second one has its configuration."""
    port = free_port()
    (tmp_path / "rules").write_text("topic read vtex-monitor/#\ntopic write vtex-monitor/v1/mia/#\n")
    with mosquitto(tmp_path, RULES.format(port)):
        core, other = Core(port, MemoryStore()), Agent(port, "mia")
        async with core.at_work(), other.there():
            await until(lambda: other.got(Configuration))
            assert "refuses us vtex-monitor/v1/sao/configuration" in caplog.text


async def test_orders_reach_the_place_they_are_for_and_no_other(port: int) -> None:
    """Those of a moment in one message; each says until when it is of any use."""
    core, agent, other = Core(port, MemoryStore()), Agent(port), Agent(port, "mia")
    async with core.at_work(), agent.there(), other.there():
        await agent.beat()
        held = now() + timedelta(minutes=5)
        core.exchange.ask(Ask("a", "ask", "sao", 0.5))
        core.exchange.hold(Hold("a", "ask", "sao", held))
        core.exchange.ask_canaries(AskCanaries("sao"))
        core.exchange.ask(Ask("a", "ask", "here", 0.5))
        await until(lambda: agent.got(Orders))
        (said,) = agent.got(Orders)
        assert isinstance(said, Orders)
        ask, hold, canaries = said.orders
        assert ask.what == Ask("a", "ask", "sao", 0.5)
        assert hold == Order(Hold("a", "ask", "sao", held), held)
        assert canaries.what == AskCanaries("sao")
        assert timedelta(seconds=10) < canaries.until - now() < timedelta(seconds=15.1)
        assert other.got(Orders) == []


async def test_a_place_that_is_not_heard_of_is_stale_and_gets_no_orders(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the board; with the next heartbeat it is there again."""
    monkeypatch.setattr("monitor.core.presence.PAUSE", -30.5)
    monkeypatch.setattr("monitor.core.presence.BEAT", 1.0)
    core, agent = Core(port, MemoryStore()), Agent(port)
    async with core.at_work(), agent.there():
        await until(lambda: core.desk.board.vantages.get("sao") and core.desk.board.vantages["sao"].stale_since)
        core.exchange.ask(Ask("a", "ask", "sao", 0.0))
        await asyncio.sleep(0.3)
        assert agent.got(Orders) == []
        monkeypatch.undo()
        await agent.beat()
        await until(lambda: core.desk.board.vantages["sao"].stale_since is None)


async def test_nothing_is_believed_that_is_not_sealed_by_its_place(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Rubbish, another place's secret, a copy of an honest heartbeat, a place nobody knows: counted, told, dropped."""
    monkeypatch.setattr(exchange, "TOLD_EVERY", 0.5)
    caplog.set_level(logging.WARNING)
    core, agent = Core(port, MemoryStore()), Agent(port)
    shard, mine = topics.observations("sao"), topics.heartbeat("sao")
    kept = pack(agent.seal, mine, Heartbeat("box-1", "e1", now(), now()))
    async with agent.there(), _retained(agent, mine, kept), core.at_work():
        one = Batch("box-1", "e1", 1, 1, now(), (observation("a", now(), "-", "sao"),))
        await agent.say(shard, one, Seal(SECRETS["mia"], "sao"))
        await agent.link.publish(shard, b"\x01rubbish")
        await agent.link.publish(shard, b"")
        await agent.link.publish(mine, b"x" * 2000)
        copy = pack(agent.seal, mine, Heartbeat("box-1", "e1", now(), now()))
        await agent.link.publish(mine, copy)
        await agent.link.publish(mine, copy)
        await agent.link.publish(topics.heartbeat("nowhere"), copy)
        elsewhere = replace(one, items=(observation("a", now(), "-", "mia"),))
        await agent.say(shard, elsewhere)
        await agent.say(mine, Heartbeat("box/+", "e1", now(), now()))
        await until(lambda: sum(core.exchange.refused["sao"].values()) >= 8)
        assert core.exchange.refused["sao"] == {"seal": 2, "form": 4, "old": 2}
        assert core.exchange.refused[""] == {"topic": 1}
        assert await core.kept() == []
        await until(lambda: "refused" in caplog.text)
        assert not any(secret in caplog.text for secret in SECRETS.values())


async def test_without_a_broker_there_is_nobody_else() -> None:
    """One process on one machine loses nothing: no job, no place, and the lookout is asked as ever."""
    world, store, hands = platform(module("a")), MemoryStore(), _Asked()
    alone = Exchange(Config(world), SystemClock(), hands)
    alone.begin(Desk(board_from(world, await store.recall(now())), store, alone, SystemClock()), {})
    alone.ask(Ask("a", "ask", "here", 0.0))
    assert (alone.jobs(), alone.attendance(), alone.longest(), alone.trouble) == ({}, (), 0.0, None)
    assert hands.asked == [Ask("a", "ask", "here", 0.0)]


@asynccontextmanager
async def _retained(agent: Agent, topic: str, payload: bytes) -> AsyncIterator[None]:
    """The broker gives this to whoever comes."""
    await agent.link.publish(topic, payload, retain=True)
    yield


class _Asked(Idle):
    def __init__(self) -> None:
        self.asked: list[object] = []

    def ask(self, ask: object) -> None:
        self.asked.append(ask)
