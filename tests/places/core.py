"""The other end, for tests of an agent: reads what a place says from a real broker, and acknowledges what it has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.agent import Agent
from monitor.clock import Clock
from monitor.config import Broker, Config
from monitor.core.module import Module, Platform
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.target import Network, TcpTarget
from monitor.places import topics
from monitor.places.distribution import Distribution
from monitor.places.link import Came, Link
from monitor.places.seal import Refused, Seal
from monitor.places.topics import Kind
from monitor.places.wire import Acknowledged, Batch, Gone, Heartbeat, Item, Order, Orders, Time, pack, unpack

PLACE = "lisbon"
SECRET = "lisbon 0123456789abcdef0123456789abcdef"


def asking(ports: dict[str, int], every: float = 0.3, *canaries: str) -> Config:
    """A configuration with a probe of each port, by name, all of module `catalog`."""
    probes = tuple(
        Probe(
            "catalog",
            id,
            "tcp",
            timedelta(seconds=every),
            timedelta(seconds=every / 2),
            locations=(PLACE,),
            ask=TcpTarget("127.0.0.1", port, allow_private=True),
            instance=f"127.0.0.1:{port}",
        )
        for id, port in ports.items()
    )
    platform = Platform({"catalog": Module("catalog", {}, probes=probes)}, locations={"here": "a", PLACE: "b"})
    return Config(platform, network=Network(canaries=canaries), place_secrets={PLACE: SECRET})


def at(broker: int | Broker) -> Broker:
    """The plain broker at a port, or the one that it is."""
    return broker if isinstance(broker, Broker) else Broker(f"mqtt://127.0.0.1:{broker}")


class Core:
    """What it has of each agent, by number; `acknowledges` says whether it says so."""

    def __init__(self, broker: int | Broker, secret: str = SECRET) -> None:
        self.seal = Seal(secret, PLACE)
        self.has: dict[str, dict[int, Item]] = {}
        self.again = 0  # items that came more than once
        self.beats: list[Heartbeat] = []
        self.gone: list[Gone] = []
        self.refused: list[str] = []
        self.acknowledges = self.answers = True
        self.roster: tuple[str, ...] = ()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.distribution = Distribution()
        self.config: Config | None = None
        filters = {topics.of_shard(topics.shard_of(PLACE)): 1, topics.of_kind(Kind.HEARTBEAT): 0}
        filters[topics.of_kind(Kind.GONE)] = 1
        self.link = Link(
            at(broker), "core", self._receive, filters, session=3600, manual=True,
            connected=self._connected,
        )  # fmt: skip

    @property
    def seen(self) -> list[Observation]:
        """Every run, once, in the order of its number."""
        return [item for has in self.has.values() for _, item in sorted(has.items()) if isinstance(item, Observation)]

    def whole(self) -> bool:
        """Whether nothing is missing between the first and the last of each agent."""
        return all(sorted(has) == list(range(1, len(has) + 1)) for has in self.has.values())

    async def tell(self, config: Config, at: datetime | None = None) -> None:
        """Gives a configuration."""
        self.config = config
        for topic, payload in self.distribution.messages(config, at or self.clock()).items():
            await self.link.publish(topic, payload, retain=True)

    async def order(self, *orders: Order) -> None:
        """Wants something of the place."""
        topic = topics.orders(PLACE)
        await self.link.publish(topic, pack(self.seal, topic, Orders(orders)))

    async def _connected(self) -> None:
        if self.config is not None:
            await self.tell(self.config)

    async def _receive(self, came: Came) -> None:
        try:
            document = unpack(self.seal, came.topic, came.payload)
        except Refused as refused:
            self.refused.append(refused.why)
            came.done()
            return
        match document:
            case Batch():
                await self._store(document)
            case Heartbeat():
                self.beats.append(document)
                if self.answers:
                    topic, now = topics.time(PLACE, document.agent), self.clock()
                    answer = Time(document.agent, document.at, now, now, self.roster)
                    self.link.mention(topic, pack(self.seal, topic, answer))
            case Gone():
                self.gone.append(document)
        came.done()

    async def _store(self, batch: Batch) -> None:
        has = self.has.setdefault(f"{batch.agent} {batch.epoch}", {})
        if batch.first > max(len(has) + 1, batch.kept):
            return
        for number, item in enumerate(batch.items, batch.first):
            self.again += number in has
            assert has.setdefault(number, item) == item
        if self.acknowledges:
            topic = topics.acknowledged(PLACE, batch.agent)
            word = Acknowledged(batch.agent, batch.epoch, len(has))
            await self.link.publish(topic, pack(self.seal, topic, word), retain=True)


@asynccontextmanager
async def core(broker: int | Broker, secret: str = SECRET) -> AsyncIterator[Core]:
    """A core that reads from a broker, or from the one at a port."""
    one = Core(broker, secret)
    task = asyncio.create_task(one.link.keep())
    try:
        await asyncio.wait_for(one.link.online.wait(), 10)
        yield one
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def agent(
    port: int, data: Path, *, secret: str = SECRET, broker: Broker | None = None, clock: Clock | None = None
) -> AsyncIterator[Agent]:
    """An agent that runs, and stops in good order."""
    one = Agent(PLACE, secret, broker or Broker(f"mqtt://127.0.0.1:{port}"), data, clock=clock)
    task = asyncio.create_task(one.run())
    try:
        async with asyncio.timeout(10):
            while not hasattr(one, "sending") and not task.done():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        yield one
    finally:
        one.stop.set()
        await asyncio.wait_for(task, 10)


@asynccontextmanager
async def listener() -> AsyncIterator[int]:
    """The port of somebody who takes connections."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def without(config: Config, id: str) -> Config:
    """The same without one of its probes."""
    catalog = config.platform.modules["catalog"]
    probes = tuple(probe for probe in catalog.probes if probe.id != id)
    return replace(config, platform=replace(config.platform, modules={"catalog": replace(catalog, probes=probes)}))
