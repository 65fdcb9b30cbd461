"""Exchange: where the core speaks with the agents of all other places, over one connection to the broker.

What comes in is opened, told apart and given to whoever it is for: heartbeats to the rollcall at once, what was seen to
the ingest, one batch after another. What goes out are shares of the configuration, answers to heartbeats, what is
stored, and orders. To the desk it is its hands: the lookout of this place, and all others.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Protocol

from monitor.clock import Clock
from monitor.config import Broker, Config
from monitor.core.effect import Ask, AskCanaries, Event, Hold
from monitor.core.observation import Observation
from monitor.core.presence import Attendance
from monitor.lasting import LinkFailed
from monitor.places import ingest, topics
from monitor.places.distribution import Distribution
from monitor.places.ingest import Ingest
from monitor.places.link import Came, Link
from monitor.places.rollcall import Rollcall
from monitor.places.seal import REASONS, Refused, Seal
from monitor.places.topics import TO_THE_CORE, Kind
from monitor.places.wire import (
    Acknowledged,
    Batch,
    Document,
    Gone,
    Heartbeat,
    Newest,
    Order,
    Orders,
    Time,
    pack,
    unpack,
)

log = logging.getLogger(__name__)

SESSION = 6 * 3600  # seconds for which the broker keeps what comes while nobody is here; agents keep it anyhow
WAITING = 200  # batches that may wait to be taken; more are left to their agents, who send them again
UNDER_WAY = 50  # batches that may wait to be stored
LOOK_EVERY = 0.25  # seconds between two looks at who is there
GATHERED = 0.05  # seconds in which orders for a place are gathered
MOOT = timedelta(seconds=15)  # after which it is no use any more to ask for a run
TOLD_EVERY = 60.0  # seconds between two lines in the log about what was refused


class Desk(ingest.Desk, Protocol):
    """What is needed of the desk."""

    def hand_in(self, event: Event) -> None:
        """Puts an event on its queue."""
        ...


class Eyes(Protocol):
    """Whoever looks from here."""

    def ask(self, ask: Ask) -> None:
        """Run a probe once more."""
        ...

    def hold(self, hold: Hold) -> None:
        """Leave a probe alone for a while."""
        ...

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Find out whether the place can see."""
        ...


class Exchange:
    """`here` looks from this place. Without a broker in the configuration there is no other one."""

    def __init__(self, config: Config, clock: Clock, here: Eyes) -> None:
        self.refused: dict[str, Counter[str]] = defaultdict(Counter)  # payloads, by location and reason
        self._config = config
        self._clock = clock
        self._here = here
        self._seals: dict[str, Seal] = {}
        self._newest = Newest()
        self._orders: dict[str, list[Order]] = defaultdict(list)
        self._ordered = asyncio.Event()
        self._changed = asyncio.Event()
        self._waiting: asyncio.Queue[Came] = asyncio.Queue(WAITING)
        self._under_way = asyncio.Semaphore(UNDER_WAY)
        self._settling: set[asyncio.Task[None]] = set()
        self._told_at = clock.monotonic() - TOLD_EVERY
        self._untold: Counter[tuple[str, str]] = Counter()
        self._distribution = Distribution()
        self._link = None if config.settings.broker is None else self._link_to(config.settings.broker)

    def _link_to(self, broker: Broker) -> Link:
        filters = {topics.of_shard(shard): 1 for shard in range(topics.SHARDS)}
        filters |= {topics.of_kind(Kind.HEARTBEAT): 0, topics.of_kind(Kind.GONE): 0}
        return Link(
            broker,
            f"vtex-monitor-core-{_name_of(self._config)}",
            self._receive,
            filters,
            session=SESSION,
            manual=True,
            at_most=2 * UNDER_WAY,
            connected=self._connected,
        )

    def begin(
        self,
        desk: Desk,
        marks: Mapping[ingest.Key, int],
        seen: Callable[[Observation], None] = lambda observation: None,
    ) -> None:
        """From now on this is the desk, and agents have come so far."""
        self._rollcall = Rollcall(self._clock, desk.hand_in)
        self._ingest = Ingest(desk, self._clock, marks, self._acknowledge, seen)
        stale = {id for id, place in desk.board.vantages.items() if place.stale_since is not None}
        self._expect(stale)

    def use(self, config: Config) -> None:
        """Another configuration is in force; each place is given its new share. The broker stays."""
        self._config = config
        self._expect()
        self._changed.set()

    def _expect(self, stale: set[str] | None = None) -> None:
        secrets = self._config.place_secrets if self._link is not None else {}
        self._seals = {location: Seal(secret, location) for location, secret in secrets.items()}
        self._rollcall.expect(self._seals, stale or ())

    def jobs(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What runs as long as agents are to be spoken with; nothing where no broker is configured."""
        if self._link is None:
            return {}
        return {
            "places": self._link.keep,
            "ingest": self._take,
            "rollcall": self._look,
            "orders": self._order,
            "distribution": self._distribute,
        }

    # -- what is wanted of places ------------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> None:
        """Runs a probe once more, where it is asked from."""
        self._here.ask(ask)
        self._want(ask.location, Order(ask, self._clock.now() + timedelta(seconds=ask.after) + MOOT))

    def hold(self, hold: Hold) -> None:
        """Leaves a probe alone at a place."""
        self._here.hold(hold)
        self._want(hold.location, Order(hold, hold.until))

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Finds out whether a place can see."""
        self._here.ask_canaries(ask)
        self._want(ask.location, Order(ask, self._clock.now() + MOOT))

    def _want(self, location: str, order: Order) -> None:
        if location in self._seals and not self._rollcall.is_stale(location):
            self._orders[location].append(order)
            self._ordered.set()

    async def _order(self) -> None:
        while True:
            await self._ordered.wait()
            await asyncio.sleep(GATHERED)
            self._ordered.clear()
            wanted, self._orders = self._orders, defaultdict(list)
            for location, orders in wanted.items():
                with suppress(LinkFailed):  # what could not be said is moot by the time it can
                    await self._say(location, topics.orders(location), Orders(tuple(orders)))

    # -- what goes out -----------------------------------------------------------------------------------------------

    async def _say(self, location: str, topic: str, document: Document, *, retain: bool = False) -> None:
        """Publishes something to a place that is still one of ours. Raises LinkFailed."""
        seal, link = self._seals.get(location), self._link
        if seal is not None and link is not None:
            await link.publish(topic, pack(seal, topic, document), retain=retain)

    async def _acknowledge(self, location: str, through: Acknowledged) -> None:
        with suppress(LinkFailed):  # the agent sends again what it was not told of
            await self._say(location, topics.acknowledged(location, through.agent), through, retain=True)

    async def _connected(self) -> None:
        self._changed.set()

    async def _distribute(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            assert self._link is not None
            messages = await asyncio.to_thread(self._distribution.messages, self._config, self._clock.now())
            for topic, payload in messages.items():
                with suppress(LinkFailed):  # it begins anew with the next connection; one that is refused is told
                    await self._link.publish(topic, payload, retain=True)

    # -- what comes in -----------------------------------------------------------------------------------------------

    async def _receive(self, came: Came) -> None:
        try:
            topic = topics.parse(came.topic)
            seal = self._seals[topic.location]
        except (ValueError, KeyError):
            return self._leave(came, "", "topic")
        if topic.kind not in TO_THE_CORE or came.retained:
            return self._leave(came, topic.location, "old" if came.retained else "topic")
        if topic.kind is Kind.OBSERVATIONS:
            if self._waiting.full():
                return came.done()  # it comes again as long as it is not acknowledged
            return self._waiting.put_nowait(came)
        try:
            document = unpack(seal, came.topic, came.payload)
            if isinstance(document, Heartbeat):
                since = document.since.isoformat()
                self._newest.look(f"{topic.location}/{document.agent}/{since}", document.at)
        except Refused as error:
            return self._leave(came, topic.location, error.why)
        came.done()
        if isinstance(document, Heartbeat):
            self._answer(topic.location, document, seal)
        elif isinstance(document, Gone):
            about = {"location": topic.location, "agent": document.agent}
            how = "has left" if document.orderly else "is not connected any more"
            log.info("agent %s %s", document.agent, how, extra={"about": about})
            self._rollcall.gone(topic.location, document)

    def _answer(self, location: str, heartbeat: Heartbeat, seal: Seal) -> None:
        answer = self._rollcall.heard(location, heartbeat, self._distribution.digests.get(location))
        if answer is not None:
            self._mention(location, answer, seal)

    def _mention(self, location: str, answer: Time, seal: Seal) -> None:
        topic = topics.time(location, answer.agent)
        if self._link is not None:
            self._link.mention(topic, pack(seal, topic, answer))

    async def _take(self) -> None:
        """Takes batches in the order in which they come; acknowledges each as soon as it is stored."""
        try:
            await self._take_all()
        finally:
            for task in self._settling:
                task.cancel()

    async def _take_all(self) -> None:
        while True:
            came = await self._waiting.get()
            location = topics.parse(came.topic).location
            try:
                batch = await asyncio.to_thread(unpack, self._seals[location], came.topic, came.payload)
            except (Refused, KeyError) as error:
                self._leave(came, location, error.why if isinstance(error, Refused) else "topic")
                continue
            assert isinstance(batch, Batch)
            if not await self._ingest.take(location, batch):
                came.done()
                continue
            await self._under_way.acquire()
            task = asyncio.create_task(self._settle(location, batch, came), name=f"settle {location}")
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def _settle(self, location: str, batch: Batch, came: Came) -> None:
        try:
            await self._ingest.settle(location, batch)
            came.done()
        finally:
            self._under_way.release()

    def _leave(self, came: Came, location: str, why: str) -> None:
        """Something that is not to be believed: it is counted, and told once a minute."""
        came.done()
        self.refused[location][why] += 1
        self._untold[(location, why)] += 1

    # -- who is there ------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        last = self._clock.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = self._clock.monotonic()
            if now - last > 2.0:  # we stood still: nobody else is to blame for it
                self._rollcall.missed(now - last)
            last = now
            self._rollcall.look()
            for location, word in self._rollcall.redivided():
                self._mention(location, word, self._seals[location])
            if self._untold and now - self._told_at > TOLD_EVERY:
                self._told_at = now
                for (location, why), count in self._untold.items():
                    about = {"location": location, "reason": why, "count": count}
                    told = "refused %d messages of place %s: %s"
                    log.warning(told, count, location or "?", REASONS[why], extra={"about": about})
                self._untold.clear()

    @property
    def trouble(self) -> str | None:
        """Why the broker cannot be reached; None while it can, or where none is wanted."""
        return None if self._link is None else self._link.trouble

    def longest(self) -> float:
        """Seconds since the last heartbeat of the place that was silent the longest."""
        return self._rollcall.longest()

    def attendance(self) -> tuple[Attendance, ...]:
        """How every place with agents is."""
        return tuple(self._attendance(location) for location in self._seals)

    def _attendance(self, location: str) -> Attendance:
        known = self._rollcall.attendance(location, self._distribution.digests.get(location))
        return replace(
            known,
            trouble=self._distribution.trouble.get(location) or known.trouble,
            batches=self._ingest.batches[location],
            results=self._ingest.items[location],
            repeated=self._ingest.repeated[location],
            refused=dict(self.refused[location]),
        )


def _name_of(config: Config) -> str:
    """What tells this monitor apart from others at the same broker, and is the same after a restart, elsewhere too."""
    broker = config.settings.broker
    told = [*sorted(config.place_secrets), (broker and broker.username) or ""]
    return sha256("\0".join(told).encode()).hexdigest()[:8]
