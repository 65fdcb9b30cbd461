"""Mailroom: everything by which people are told: the channels of the configuration, the postman who carries letters to
them, what brokers show as retained states, and what people say over a channel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from monitor.clock import Clock
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.effect import Answered, Happened, Refusal, Said, Spoken
from monitor.core.herald import worked_on
from monitor.core.identity import stable_id
from monitor.core.incident import Incident
from monitor.core.outbox import Letter, Place, Sending
from monitor.core.outcome import Course
from monitor.core.word import Acknowledge
from monitor.distress import Distress
from monitor.notify import CHANNELS, Channel
from monitor.notify import payload as writing
from monitor.notify.beacon import shine
from monitor.notify.mirror import states_of
from monitor.pages.translate import Speech
from monitor.postman import LIMIT, Postman, Write
from monitor.reviews import Reviews
from monitor.store import TROUBLES, Store
from monitor.ticketing import Ticketing

log = logging.getLogger(__name__)

AcknowledgeUrl = Callable[[str, str, datetime], str | None]
SHOW_EVERY = 1.0  # seconds between two looks at what brokers are to show
AWAY = Refusal("away", "the store does not answer at the moment: ask again")
MARGIN = timedelta(seconds=5)  # for what surrounds the exchange with a service
ALWAYS_SENT = ("resolved", "summary", "test", "reopened")


@dataclass(frozen=True, slots=True)
class Configured:
    """A channel, and the section it was made from."""

    section: Mapping[str, Any]
    channel: Channel


class Mailroom:
    """`board` is what is known now, `hear` takes what a person says, `counted` is told each outcome by channel.
    `acknowledge_url` gives the link by which whoever reads a notice says mine; `kinds` makes a channel of its section,
    by its kind; `instance` tells this monitor from others, also after a restart. `alone`: nobody else can have taken
    over; `valid`: nobody has, for sure. `leaving` as of the postman."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        board: Callable[[], Board],
        hear: Callable[[Said], Awaitable[Answered]],
        speech: Callable[[], Speech],
        counted: Callable[[str, str], None] = lambda channel, outcome: None,
        acknowledge_url: AcknowledgeUrl = lambda incident, channel, at: None,
        kinds: Mapping[str, Callable[[Any], Channel]] = CHANNELS,
        instance: str = "",
        alone: Callable[[], bool] = lambda: True,
        valid: Callable[[], bool] = lambda: True,
        leaving: Callable[[Letter], Awaitable[None]] | None = None,
    ) -> None:
        self._config = config
        self._kinds = kinds
        self._instance = instance
        self._valid = valid
        self._clock = clock
        self._board = board
        self._hear = hear
        self._speech = speech
        self._acknowledge_url = acknowledge_url
        self._channels: dict[str, Configured] = {}
        self.unsound: Callable[[], str | None] = lambda: None  # why nobody should rely on us now
        self._news = asyncio.Event()
        self._outbox = outbox = store.outbox
        self._reviews = Reviews(config, store, clock, board, lambda: self.postman.refresh())
        self.ticketing = Ticketing(store, clock, self._readers, hear)
        self._retired: list[Channel] = []
        owner = f"{stable_id(f'postman:{instance}')}-"
        self.postman = Postman(
            outbox,
            clock,
            self._writer,
            self._known,
            self._hold,
            counted,
            limit=self._limit,
            owner=owner,
            alone=alone,
            leaving=leaving,
        )
        self.distress = Distress(
            clock, lambda: self.postman.store_trouble, self.postman.undelivered.other, self.postman.post
        )
        self.use(config)

    def use(self, config: Config) -> None:
        """From now on the channels of this configuration are used; one that is the same goes on."""
        self._config = config
        kept, self._channels = self._channels, {}
        for name, section in config.sections.get("channels", {}).items():
            known = kept.get(name)
            if known is not None and known.section == section:
                self._channels[name] = known
            elif (make := self._kinds.get(section["kind"])) is not None:
                self._channels[name] = Configured(section, self._made(name, make, section))
            else:
                log.warning("channel %s: channels of kind `%s` cannot send in this version", name, section["kind"])
        self._reviews.use(config)
        now_used = [one.channel for one in self._channels.values()]
        self._retired += [one.channel for one in kept.values() if one.channel not in now_used]
        self.postman.use({name: one.channel for name, one in self._channels.items()})
        self._news.set()

    def _made(self, name: str, make: Callable[[Any], Channel], section: Mapping[str, Any]) -> Channel:
        channel = make(SimpleNamespace(**{"from_" if key == "from" else key: value for key, value in section.items()}))
        if hasattr(channel, "acknowledged"):
            channel.acknowledged = self.acknowledge
        if hasattr(channel, "client"):
            channel.client = f"{self._instance}:{name}"
        return channel

    async def run(self) -> None:
        """Carries letters and shows states, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.postman.run(), name="postman")
            group.create_task(self.distress.run(), name="distress")
            group.create_task(self._show(), name="mirror")
            group.create_task(self._reviews.run(), name="reviews")
            group.create_task(self.ticketing.run(), name="tickets")
            if (url := self._config.settings.heartbeat_url) is not None:
                group.create_task(shine(url, self.unsound), name="beacon")

    async def close(self) -> None:
        """Closes every channel."""
        channels = [*self._retired, *(one.channel for one in self._channels.values())]
        await asyncio.gather(*(one.close() for one in channels), return_exceptions=True)

    def _readers(self) -> dict[str, Any]:
        """The channels that keep tickets whose answers can be read."""
        return {name: one.channel for name, one in self._channels.items() if hasattr(one.channel, "replies")}

    def happened(self, event: Happened, stored: bool) -> None:
        """An event of an incident was decided, and later on stored."""
        self.postman.add(event, stored)

    def changed(self) -> None:
        """Something is different from what brokers show."""
        self._news.set()

    async def acknowledge(self, incident: str, by: str | None) -> str | None:
        """A person says mine over a channel; why that is not followed, None when it is."""
        answer = await self._hear(Said(Spoken(Acknowledge(incident), by), "mqtt", by))
        return None if answer.refusal is None else answer.refusal.reason

    # -- what people see of it and ask for -----------------------------------------------------------------------------

    def channels(self) -> list[dict[str, Any]]:
        """Every channel and how it fares."""
        pending, boxes = self.postman.pending(), {**self.postman.undelivered.gone, **self.postman.boxes}
        kinds = {name: section["kind"] for name, section in self._config.sections.get("channels", {}).items()}
        found = []
        for name in (*kinds, *(name for name in self.postman.undelivered.gone if name not in kinds)):
            box = boxes.get(name)
            count, seconds = pending.get(name, (0, 0.0))
            found.append(
                {
                    "id": name,
                    "kind": kinds.get(name),
                    "pending": count,
                    "oldest_seconds": round(seconds, 3) if seconds else None,
                    "breaker": None if box is None else box.state(),
                    "last_error": "this version cannot send there" if box is None else box.last_error,
                    "delivered": None if box is None else box.last_delivered_at,
                }
            )
        return found

    def silent(self) -> tuple[tuple[str, str], ...]:
        """The channels whose last attempt failed, each with the reason."""
        boxes = {**self.postman.undelivered.gone, **self.postman.boxes}
        return tuple((name, box.last_error) for name, box in boxes.items() if box.last_error is not None)

    async def letters(
        self, channel: str | None, state: str | None, limit: int, after: Place | None
    ) -> Sequence[Letter] | Refusal:
        """The newest letters first, those that stand behind a place."""
        try:
            return await self._outbox.letters(channel, state, limit=limit, after=after)
        except TROUBLES:
            return AWAY

    async def courses(self, incidents: Sequence[str]) -> Mapping[str, Course]:
        """What was said of these incidents, as far as that can be read now."""
        try:
            return await self._outbox.courses(incidents)
        except TROUBLES:
            return {}

    async def act(self, act: str, incident: str, seq: int, channel: str) -> Refusal | None:
        """Sends a dead letter again, or gives one up that waits; why not."""
        try:
            course = (await self._outbox.courses([incident])).get(incident, Course())
            letter = next((one for one in course.letters if (one.seq, one.channel) == (seq, channel)), None)
            if letter is None:
                return Refusal("unknown", "there is no such notice")
            if act == "again":
                return None if await self.postman.again(letter) else Refusal("conflict", f"it is {letter.state}")
            return None if await self.postman.drop(letter) else Refusal("conflict", f"it is {letter.state}")
        except TROUBLES:
            return AWAY

    async def test(self, channel: str) -> str | Refusal | None:
        """Sends a test notice through the outbox: why it did not arrive, None when it did."""
        if channel not in self.postman.boxes:
            return Refusal("unknown", f"there is no channel `{channel[:40]}` that can send")
        return await self.postman.trial(channel)

    async def _show(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            for one in self._retired:
                await one.close()
            self._retired.clear()
            mirrors = [one.channel for one in self._channels.values() if hasattr(one.channel, "show")]
            if mirrors and not self._valid():
                self._news.set()
            elif mirrors:
                states = await asyncio.to_thread(states_of, self._board(), self._speech())
                for mirror in mirrors:
                    mirror.show(states)
            await asyncio.sleep(SHOW_EVERY)

    # -- how letters are written -------------------------------------------------------------------------------------

    def _known(self, id: str) -> Incident | None:
        return self._board().incidents.get(id)

    def _limit(self, channel: str) -> timedelta:
        """How long an attempt may take: as long as its channel waits for the service, for each question that it has to
        ask, and a little more."""
        configured = self._channels.get(channel)
        timeout: timedelta | None = None if configured is None else configured.section.get("timeout")
        if configured is None or timeout is None:
            return LIMIT
        exchanges: int = getattr(configured.channel, "exchanges", 1)
        return exchanges * timeout + MARGIN

    def _writer(self, channel: str) -> Write:
        config = self._config
        desk = writing.Desk(
            config.site, self._board().platform, self._speech(), config.settings.ops_url, self._acknowledge_url
        )
        language = str(self._channels[channel].section["language"])
        return lambda sending, incident, now, external: writing.message_of(
            sending, incident, language, desk, now, external
        )

    def _hold(self, sending: Sending, incident: Incident | None) -> str | None:
        """Planned work on all that still fails holds what is said meanwhile; that something is over is always said."""
        if incident is None or sending.event in ALWAYS_SENT or not incident.is_open:
            return None
        work = worked_on(self._board(), incident)
        return None if work is None else work.why
