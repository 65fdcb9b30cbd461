"""Agent: probes from a place of its own, as the core told it, and tells the core what it saw.

It needs the core for nothing but that: what it saw waits on its disk while nobody answers, and what it was told is
kept there as well, sealed as it came, so that it probes on from a start without a core. It judges nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from socket import gethostname

from monitor.clock import Clock, SystemClock
from monitor.config import Broker
from monitor.core.effect import Ask, AskCanaries, Hold, Lagging, Missed
from monitor.data import only_one
from monitor.jobs import guarded
from monitor.lasting import LinkFailed
from monitor.logs import mask_with
from monitor.lookout import Lookout
from monitor.mask import masker
from monitor.memory import few_arenas, loaded, tidy
from monitor.places import topics
from monitor.places.link import Came, Link
from monitor.places.outbox import Outbox, OutboxFailed
from monitor.places.roster import Part
from monitor.places.seal import Refused, Seal
from monitor.places.seen import Seen
from monitor.places.sending import Sending
from monitor.places.share import nothing, taken_up
from monitor.places.skew import Skew
from monitor.places.wire import (
    Acknowledged,
    Configuration,
    Document,
    Doubt,
    Gone,
    Heartbeat,
    Order,
    Orders,
    Time,
    pack,
    unpack,
)
from monitor.probers import Reach
from monitor.pulse import Pulse, clocks_of
from monitor.watchdog import Watchdog

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds between heartbeats
SILENT = 35.0  # seconds without an answer after which the core counts as away
FIRST_ANSWER = 3.0  # seconds that sending waits for the clock to be compared
TELL_EVERY = 60.0  # seconds between words about what was refused
TIDY_EVERY = 600.0  # seconds between gatherings of what is garbage
LEAVE = 3.0  # seconds in which a stop tells the core what it does not have yet
CONFIGURATION = "configuration"


class Agent:
    """One running agent. `secret` is what it and the core know; `config` is what it probes by now."""

    def __init__(
        self, location: str, secret: str, broker: Broker, data: Path, *, clock: Clock | None = None, version: str = ""
    ) -> None:
        """Raises ValueError for a secret that is too short."""
        self.location = location
        self.data = data
        self.stop = asyncio.Event()
        self.config = nothing(location)
        self.digest = ""
        self.trouble = ""
        self.refused: Counter[str] = Counter()
        self.skew = Skew()
        self._seal = Seal(secret, location)
        self._own_secrets = frozenset(filter(None, (secret, broker.password)))
        self._broker = broker
        self._clock = clock or SystemClock()
        self._version = version
        self._issued_at: datetime | None = None
        self._since = self._clock.now()
        self._beats: dict[datetime, float] = {}  # heartbeats without an answer: when, on the monotonic clock
        self._answered_at: float | None = None
        self.watchdog = Watchdog(lambda patience: self.seen.stuck(patience))

    async def run(self) -> None:
        """Runs until `stop` is set; then leaves within ten seconds, with everything that was seen on the disk.

        Raises StoreUnusable or OutboxFailed when it cannot begin.
        """
        few_arenas()
        loaded()
        async with AsyncExitStack() as stack:
            stack.enter_context(only_one(self.data))
            self.outbox = Outbox(self.data / "outbox.db")
            await self.outbox.open()
            stack.push_async_callback(self.outbox.close)
            await self._open(stack)
            jobs = {name: asyncio.create_task(guarded(name, job), name=name) for name, job in self._jobs().items()}
            try:
                self.watchdog.ready()
                await self.stop.wait()
            finally:
                self.watchdog.stopping()
                await self._leave(jobs)

    async def _open(self, stack: AsyncExitStack) -> None:
        self.agent = f"{topics.slug(gethostname())}-{self.outbox.epoch[:6]}"
        self.part = Part(self.agent, self.outbox)
        self.reach = await stack.enter_async_context(
            Reach.open(self.config.network, self.config.secrets, self._clock, self.location)
        )
        self.pulse = Pulse(missed=self._missed, clocks=clocks_of(self._clock))
        self.reach.stalled = self.pulse.stalled
        self.seen = Seen(self.outbox, self._clock, self.location, self.skew, lambda: self.sending.news())
        self.lookout = Lookout(self.config, self.reach, self._clock, self.seen.take, lagging=self._doubt)
        filters = {
            topics.configuration(self.location): 1,
            topics.acknowledged(self.location, self.agent): 1,
            topics.orders(self.location): 1,
            topics.time(self.location, self.agent): 0,
        }
        client = f"vtex-monitor-{self.location}-{self.agent}"
        self.link = Link(self._broker, client, self._received, filters, will=self._last_will, connected=self._connected)
        self.sending = Sending(self.outbox, self.link, self._seal, self.agent, self._clock, lambda: self.skew.ahead)
        await self._recall()

    def _jobs(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "rounds": self.lookout.walk,
            "outbox": self.seen.keep,
            "sending": self.sending.run,
            "broker": self.link.keep,
            "heartbeat": self._beat,
            "clock": self._tick,
            "pulse": self.pulse.beat,
            "watchdog": self.watchdog.run,
        }

    async def _leave(self, jobs: Mapping[str, asyncio.Task[None]]) -> None:
        """Nobody is asked any more; what was seen is written, and told as far as that goes in a moment."""
        looking = [task for name, task in jobs.items() if name not in ("broker", "outbox", "sending")]
        for task in looking:
            task.cancel()
        await asyncio.wait(looking, timeout=LEAVE)
        try:
            async with asyncio.timeout(LEAVE):
                await self.seen.flush()
                if self.link.online.is_set():
                    await self.sending.send()
                    await self._say(topics.gone(self.location), Gone(self.agent, self.outbox.epoch, self._since, True))
        except (OutboxFailed, LinkFailed, TimeoutError) as error:
            log.warning("left in a hurry: %s", str(error) or "there was no time for the last words")
        for task in jobs.values():
            task.cancel()
        await asyncio.wait(jobs.values(), timeout=1)

    # -- what is seen ------------------------------------------------------------------------------------------------

    def _missed(self, code: str, seconds: float, shift: float = 0.0) -> None:
        """This place could not look for so long, or its clock was set by so many seconds."""
        if shift:
            self.skew.set_by(shift)
            self._beats.clear()
            self._since = self._clock.now()  # whatever it shows: newer than all before
        now = self._clock.now()
        self.seen.take(Missed(self.location, now - timedelta(seconds=seconds), now, code, timedelta(seconds=shift)))

    def _doubt(self, lagging: Lagging) -> None:
        self.seen.take(Doubt(lagging, self._clock.now()))

    # -- what is heard -----------------------------------------------------------------------------------------------

    async def _received(self, came: Came) -> None:
        if not came.payload:
            return  # a retained message was cleared
        try:
            await self._heard(unpack(self._seal, came.topic, came.payload), came.payload)
        except Refused as refused:
            self.refused[refused.why] += 1
            if self.refused[refused.why] == 1:
                log.error("a message under %s is refused: %s", came.topic, refused)

    async def _heard(self, document: Document, payload: bytes) -> None:
        match document:
            case Configuration():
                await self._configure(document, payload)
            case Orders(orders):
                for order in orders:
                    self._follow(order)
            case Acknowledged():
                with suppress(OutboxFailed):  # what is not dropped now is dropped with the next word
                    await self.sending.acknowledged(document)
            case Time():
                asked = document.echo in self._beats
                self._compared(document)
                if await self.part.heard(document, asked=asked):
                    await self._divide()

    def _follow(self, order: Order) -> None:
        """Does what the core wants, unless it is too late for that."""
        if order.until <= self._clock.now() - timedelta(seconds=self.skew.ahead or 0.0):
            return
        match order.what:
            case Ask():
                self.lookout.ask(order.what)
            case Hold(module, probe, location, until):
                here = until + timedelta(seconds=self.skew.ahead or 0.0)
                self.lookout.hold(Hold(module, probe, location, here))
            case AskCanaries():
                self.lookout.ask_canaries(order.what)

    def _compared(self, answer: Time) -> None:
        """The core answers a heartbeat of ours; a copy of such an answer is none."""
        sent = self._beats.pop(answer.echo, None)
        if sent is None:
            return
        now = self._clock.monotonic()
        self.skew.answered(answer.echo, answer.received_at, answer.sent_at, now - sent)
        if self._answered_at is None or now - self._answered_at > SILENT:
            log.info("the core answers; the clock here is %.3f s ahead", self.skew.ahead or 0.0)
            self.sending.anew()
        self._answered_at = now

    async def _configure(self, document: Configuration, payload: bytes) -> None:
        """Puts a newer share in force: what stays keeps its rhythm. One that cannot be used changes nothing."""
        if self._issued_at is not None and document.issued_at <= self._issued_at:
            if document.digest != self.digest:
                raise Refused("old")
            return  # a broker gives what it retains at every connection
        if document.digest != self.digest and not await self._use(document):
            return
        self._issued_at = document.issued_at
        self._heartbeat()  # whoever divides the probes waits for us to have them
        try:
            await self.outbox.remember(CONFIGURATION, payload)
        except OutboxFailed as error:
            log.error("the configuration is not kept for a start without the core: %s", error)

    async def _use(self, document: Configuration) -> bool:
        try:
            fresh = await asyncio.to_thread(taken_up, document.share, self.location, self.data, self.config)
            part = await asyncio.to_thread(self.part.of, fresh.config)
            self.reach.reconfigure(fresh.config.network, fresh.config.secrets)
        except (Refused, OSError) as error:
            self.trouble = f"the new configuration is not used: {error}"
            log.error("%s", self.trouble)
            return False
        mask_with(masker(self._own_secrets | self.config.secrets | fresh.config.secrets))
        self.config, self.digest, self.trouble = fresh.config, document.digest, ""
        self.lookout.use(part)
        log.info("configuration %s in force; probes: %d", self.digest, len(fresh.config.platform.probes))
        return True

    async def _divide(self) -> None:
        """Asks what falls to us by now."""
        part = await asyncio.to_thread(self.part.of, self.config)
        self.lookout.use(part)
        log.info("%d of %d probes fall to us", len(part.platform.probes), len(self.config.platform.probes))
        self._heartbeat()

    async def _recall(self) -> None:
        """Goes on with what the core told before the last stop."""
        await self.part.recall()
        payload = await self.outbox.recall(CONFIGURATION)
        if payload is None:
            log.info("nothing is known here yet: waiting for the core")
            return
        try:
            await self._heard(unpack(self._seal, topics.configuration(self.location), payload), payload)
        except Refused as refused:
            log.error("the configuration that is kept here cannot be used, waiting for the core: %s", refused)

    # -- being there -------------------------------------------------------------------------------------------------

    async def _connected(self) -> None:
        self._heartbeat()
        given_up = self._clock.monotonic() + FIRST_ANSWER
        while self.skew.ahead is None and self._clock.monotonic() < given_up:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        self.sending.anew()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._heartbeat()
            answered = self._answered_at
            if answered is not None and SILENT < self._clock.monotonic() - answered <= SILENT + EVERY:
                log.warning("the core does not answer; what is seen waits here")

    def _heartbeat(self) -> None:
        now = self._clock.now()
        oldest = self.outbox.oldest_at
        heartbeat = Heartbeat(
            agent=self.agent,
            epoch=self.outbox.epoch,
            at=now,
            since=self._since,
            digest=self.digest,
            waiting=self.outbox.waiting + self.seen.waiting,
            oldest=0.0 if oldest is None else max(0.0, now.timestamp() - oldest),
            lost=self.outbox.lost + self.seen.lost,
            skew=self.skew.ahead,
            version=self._version,
            trouble=self.seen.trouble or self.trouble,
            probes=self.lookout.probes,
        )
        self._beats = {now: self._clock.monotonic(), **dict(list(self._beats.items())[:5])}
        topic = topics.heartbeat(self.location)
        self.link.mention(topic, pack(self._seal, topic, heartbeat))

    def _last_will(self) -> tuple[str, bytes]:
        """What the broker says for us; good for this connection only."""
        self._since = self._clock.now()
        topic = topics.gone(self.location)
        return topic, pack(self._seal, topic, Gone(self.agent, self.outbox.epoch, self._since))

    async def _say(self, topic: str, document: Document) -> None:
        await self.link.publish(topic, pack(self._seal, topic, document))

    async def _tick(self) -> None:
        """Once a second: how we are, and what others should know of that."""
        told_at = tidied_at = self._clock.monotonic()
        before: Counter[str] = Counter()
        while True:
            await asyncio.sleep(1)
            self.pulse.look()
            self.lookout.look(self.pulse.lost)
            now = self._clock.monotonic()
            if now - told_at >= TELL_EVERY:
                if more := self.refused - before:
                    log.warning("refused in the last minute: %s", ", ".join(f"{why} {n}" for why, n in more.items()))
                told_at, before = now, self.refused.copy()
            if now - tidied_at >= TIDY_EVERY:
                tidied_at = now
                tidy()
