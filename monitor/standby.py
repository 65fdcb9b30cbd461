"""Standby: a monitor that does not lead shows what the one that does has stored: site, dashboard, metrics.

It looks at no module, judges nothing, tells nobody and changes nothing; whoever wants a change hears who leads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from monitor.circulation import Circulation
from monitor.clock import Clock
from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.core.board import Board
from monitor.core.effect import Answered, Ask, AskCanaries, Hold, Refusal, Said
from monitor.core.history import board_from
from monitor.core.step import step
from monitor.core.subscriber import Subscriber
from monitor.data import place_of, secret_of
from monitor.desk import Desk
from monitor.figures import Figures
from monitor.following import Following
from monitor.leadership import Leadership
from monitor.mailroom import Mailroom
from monitor.metrics import Metrics
from monitor.opsroom import context_of
from monitor.pages.office import Office
from monitor.pages.publish import Published, Publisher
from monitor.pages.truth import Kind
from monitor.pages.watch import Health, Lead, Watch
from monitor.press import Press, Scene, speech_of
from monitor.store import TROUBLES, Store
from monitor.upkeep import planned_by
from monitor.web.counter import Check
from monitor.web.link import Links
from monitor.web.ops import OpsContext

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds between publications
READ = 20.0  # seconds that the board may take to be read
LOOK_EVERY = 1.0


class Standby:
    """`made` reads what is there already; from then on `jobs` show what is stored."""

    def __init__(self, config: Config, data: Path, store: Store, clock: Clock, leadership: Leadership) -> None:
        self.trouble: str | None = None
        self.config = config
        self._data = data
        self.store = store
        self._clock = clock
        self.leadership = leadership
        self._until: datetime | None = None
        self._read = False
        self.metrics = Metrics(config.platform, clock)
        self.metrics.contradicted(dict.fromkeys(Kind, 0))
        self.metrics.reconfigured(config.platform, config.sections.get("channels", {}), [h.id for h in config.hooks])
        self.desk = Desk(Board(config.platform), store, _NoHands(), clock, troubles=TROUBLES)
        self.figures = Figures(store, clock, lambda: self.desk.board, lambda: config.site)
        self.moved_at = clock.monotonic()

    press: Press
    mailroom: Mailroom
    circulation: Circulation
    links: Links

    async def open(self, stack: AsyncExitStack) -> None:
        """Everything is there that is shown from. Raises StoreUnusable or ConfigError."""
        publisher = await asyncio.to_thread(Publisher, self._data)
        self.press = Press(publisher, self.store, self._clock, self._scene, published=self._published)
        self.press.speak(await asyncio.to_thread(speech_of, self.config))
        secret = secret_of(self.config, self._data)
        self.links = Links(secret, self.config.settings.ops_url)
        parts = (self.config, self.store, self._clock, lambda: self.desk.board)
        self.mailroom = Mailroom(*parts, self._deaf, lambda: self.press.speech, instance=place_of(self._data))
        stack.push_async_callback(self.mailroom.close)
        self.circulation = Circulation(*parts, lambda: self.press.speech, secret)
        stack.push_async_callback(self.circulation.close)

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What goes on until we lead, or end."""
        return {"site": self._publish, "standby": self._count}

    async def _publish(self) -> None:
        """The board as it is stored, and a publication of it, again and again."""
        while True:
            await self._recall()
            if self._read:  # never a page of nothing
                await self.press.publish()
            await asyncio.sleep(EVERY if self.press.published.is_set() else LOOK_EVERY)

    async def _recall(self) -> None:
        now, platform = self._clock.now(), self.config.platform
        try:
            async with asyncio.timeout(READ):
                memory = await self.store.recall(now - platform.tuning.reopen)
        except (TimeoutError, *TROUBLES) as error:
            if self.trouble is None:
                log.warning("what the leader stores cannot be read: %s", str(error) or f"not within {READ:g} s")
            self.trouble = str(error) or "no answer in time"
            return
        board = board_from(platform, memory)
        self.desk.board, _ = step(board, await planned_by(self.config, board, self._clock), now)
        self._until = None if memory.seen_at is None else min(memory.seen_at, now)  # the leader's clock may be ahead
        self._read, self.trouble = True, None

    def _published(self, seconds: float, at: datetime, done: Published) -> None:
        self.metrics.published(seconds, at)
        found = [one.kind for one in self.press.contradictions]
        self.metrics.contradicted({kind.value: found.count(kind) for kind in Kind})

    async def _count(self) -> None:
        while True:
            self.moved_at = self._clock.monotonic()
            self.metrics.led(False, 0)
            await asyncio.sleep(LOOK_EVERY)

    def stuck(self, patience: float) -> str | None:
        """The part that has been at one piece of work for longer than so many seconds."""
        return "standby" if self._clock.monotonic() - self.moved_at > patience else None

    def _scene(self) -> Scene:
        return Scene(self.config.site, self.desk.board, self._until)

    # -- what people see of it, and what they hear when they want something changed --------------------------------

    def why_not_ready(self) -> str | None:
        """Why we could not take over now, or show the site; None when we could."""
        trouble = self.leadership.trouble or self.trouble
        if trouble is not None:
            return f"the store cannot be reached: {trouble}"
        if self.press.trouble is not None:
            return f"the site cannot be published: {self.press.trouble}"
        return None if self.press.published.is_set() else "nothing is published yet"

    def _refusal(self) -> Refusal:
        leader = self.leadership.leader
        told = "nobody leads at the moment" if leader is None else f"{leader} leads"
        return Refusal("away", f"this monitor stands by, {told}: say it there")

    async def _deaf(self, said: Said, check: Check | None = None) -> Answered:
        return Answered(refusal=self._refusal(), changed=False)

    async def _idle(self, said: Said, deed: Callable[[], Awaitable[Answered]]) -> Answered:
        return Answered(refusal=self._refusal(), changed=False)

    async def _uncalled(self, module: str, probe: str) -> bool:
        return False

    def _watch(self) -> Watch:
        scene = self._scene()
        now = self._clock.now()
        return Watch(scene.site, scene.board, self.press.history, now, scene.data_until, {}, self._health())

    def _health(self) -> Health:
        return Health(publication=self.press.trouble, store=self.trouble, lead=lead_of(self.leadership))

    def context(self) -> OpsContext:
        """What the operators' side is made of."""
        return context_of(
            self,
            ready=self.why_not_ready,
            reload=lambda: [self._refusal().reason],
            follow=Following().follow,
            called=self._uncalled,
            hear=self._deaf,
            perform=self._idle,
            record=lambda said, answer: answer,
            printer=Office(self._watch, lambda: self.press.speech, lambda: self.press.theme, theme_dir()),
            subscriptions=_Closed(self.circulation),
        )


def lead_of(leadership: Leadership) -> Lead | None:
    """Who leads, as operators see it; None where there can be but one monitor."""
    if not leadership.shared:
        return None
    return Lead(leadership.leads, leadership.leader, leadership.others, leadership.trouble)


class _Closed:
    """What subscribers are offered while nothing can be written down."""

    def __init__(self, circulation: Circulation) -> None:
        self.kinds = circulation.kinds
        self.allow_private = circulation.allow_private
        self.tickets = circulation.tickets
        self.confirm = circulation.confirm
        self.erase = circulation.erase

    def ask(self, wish: Subscriber) -> bool:
        """Whoever asks is to ask again in a minute."""
        return False


class _NoHands:
    """Looks at nothing."""

    def ask(self, ask: Ask) -> None:
        """Nothing is run."""

    def hold(self, hold: Hold) -> None:
        """Nothing is run anyway."""

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Nobody is asked."""
