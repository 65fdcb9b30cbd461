"""Circulation: tells subscribers what is new for the public, each as far as they have heard.

Nothing is written for a subscriber before something was told to them: what they are to be told follows from the
bulletins, which are stored with the facts, and from how far they have heard, which is stored once they have. Whatever
happens in between, it is told again under the same id rather than never.

Mails and calls have lanes of their own, and so have those who never said yes or whose last attempt failed: whoever does
not answer keeps nobody waiting but others who do not.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from monitor.clock import Clock
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.bulletin import RELEVANT, Edition, next_edition, told
from monitor.core.effect import Refusal
from monitor.core.outbox import pause_of
from monitor.core.subscriber import (
    MOST_ASKED,
    MOST_REFUSED,
    MOST_UNCONFIRMED,
    Subscriber,
    asked,
    confirmed,
    failed,
    suffered,
)
from monitor.gazette import Gazette
from monitor.notify.carrier import Carrier, Removed, Unavailable
from monitor.notify.channel import DeliveryFailed
from monitor.notify.circular import Bureau
from monitor.notify.pace import Pace
from monitor.notify.patience import ended
from monitor.pages.translate import Speech
from monitor.store import TROUBLES, Store
from monitor.web.ticket import Tickets, base_of

log = logging.getLogger(__name__)

LANES = {("email", False): 4, ("email", True): 2, ("webhook", False): 48, ("webhook", True): 16}  # told at a time
MAILS_A_SECOND = 20.0  # in each lane; servers look askance at more
LOOK_EVERY = 1.0  # seconds between looks at what has come due
SWEEP_EVERY = 60.0
MOST_REQUESTS = 500  # that wait to be looked at
AWAY = Refusal("away", "the store does not answer at the moment: ask again")
UNKNOWN = Refusal("unknown", "there is no such subscription")
AT_ONCE = 200  # subscribers looked at in a row


class Circulation:
    """`board` is what is known now; addresses are signed with `secret`. Where nobody said how people reach those, there
    is nobody to tell."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        board: Callable[[], Board],
        speech: Callable[[], Speech],
        secret: bytes,
        random: Random | None = None,
    ) -> None:
        self._store = store.subscribers
        self._clock = clock
        self._board = board
        self._speech = speech
        self._secret = secret
        self._random = random or Random()
        self._roll: dict[str, Subscriber] = {}
        self._gazette = Gazette(store, lambda: board().agenda.works)
        self._open: set[str] = set()  # those who may have something to hear
        self._busy: set[str] = set()
        self._pace = Pace(clock)
        self._unkept: set[str] = set()  # those the store has not taken as they are
        self._requests: asyncio.Queue[Subscriber] = asyncio.Queue(MOST_REQUESTS)
        self._lanes: dict[tuple[str, bool], asyncio.Queue[str]] = {}
        self._wake = asyncio.Event()
        self._ready = asyncio.Event()
        self._retired: list[Carrier] = []
        self._carrier = Carrier(None, webhooks=False, allow_private=False, ca_file=None)
        self.use(config)

    def use(self, config: Config) -> None:
        """From now on subscribers are told as this configuration has it."""
        self._config, section = config, config.sections.get("subscribers", {})
        channels = config.sections.get("channels", {})
        through = section.get("through") or next((id for id, one in channels.items() if one["kind"] == "email"), None)
        self._retired.append(self._carrier)
        self._carrier = Carrier(
            channels.get(through),
            webhooks=bool(section.get("webhooks", True)),
            allow_private=bool(section.get("allow_private", False)),
            ca_file=config.network.ca_file,
        )
        url = config.site.subscribe_url
        self.tickets = None if url is None else Tickets(self._secret, base_of(url))
        self._windows = {one.id for one in config.windows if one.rule is not None}
        self.nudge()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of address that are taken: `email`, `webhook`; none where nobody can subscribe."""
        return () if self.tickets is None else self._carrier.kinds

    @property
    def allow_private(self) -> bool:
        """Whether calls may go to private addresses."""
        return self._carrier.allow_private

    def nudge(self) -> None:
        """Something may be new."""
        self._wake.set()

    # -- who subscribes -----------------------------------------------------------------------------------------------

    def ask(self, wish: Subscriber) -> bool:
        """Takes a request, whoever is known already; False while too many wait. What becomes of it the mail tells."""
        try:
            self._requests.put_nowait(wish)
        except asyncio.QueueFull:
            return False
        return True

    async def confirm(self, id: str) -> Subscriber | Refusal:
        """Whose subscription holds from now on; or that it is forgotten, or cannot be stored now."""
        if not self._ready.is_set():  # we have just begun
            return AWAY
        try:
            found = await self._confirm(id)
        except TROUBLES:
            return AWAY
        return found or UNKNOWN

    async def _confirm(self, id: str) -> Subscriber | None:
        one = self._roll.get(id)
        if one is None or one.is_forgotten(self._clock.now()):
            return None
        if one.confirmed_at is not None:
            return one
        same = [other for other in self._roll.values() if other.key == one.key and other.id != id]
        before = next((other for other in same if other.confirmed_at is not None), None)
        fresh = self._roll[id] = confirmed(one, before, await self._store.newest(), self._clock.now())
        try:
            kept = await self._store.confirm(fresh)
        except TROUBLES:
            self._roll[id] = one
            raise
        self._forget([other.id for other in same] if kept else [id])
        self._pace.forget(id)
        self._open.add(id)
        self.nudge()
        return fresh if kept else None

    async def everybody(self) -> list[Subscriber] | Refusal:
        """All that are known, those that did not confirm included."""
        try:
            return await self._store.all()
        except TROUBLES:
            return AWAY

    async def erase(self, ids: Sequence[str]) -> Refusal | None:
        """Forgets these; why that cannot be stored now."""
        try:
            await self._store.erase(ids)
        except TROUBLES:
            return AWAY
        self._forget(ids)
        return None

    def _forget(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._roll.pop(id, None)
            self._open.discard(id)
            self._unkept.discard(id)
            self._pace.forget(id)

    # -- loops --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tells until cancelled; what was under way then is told again by whoever comes next."""
        await self._begin()
        self._lanes = {lane: asyncio.Queue() for lane in LANES}
        self._busy.clear()
        jobs = [self._hand_out(), self._take(), self._sweep()]
        jobs += [self._work(lane) for lane, count in LANES.items() for _ in range(count)]
        left = {asyncio.create_task(job, name="circulation") for job in jobs}
        try:
            done, _ = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)  # none of them ever ends by itself
            await asyncio.gather(*done)
        finally:
            await asyncio.gather(*map(ended, left))

    async def close(self) -> None:
        """Closes what is open."""
        for one in (self._carrier, *self._retired):
            await one.close()

    async def _begin(self) -> None:
        while not self._ready.is_set():
            try:
                newest, everybody = await self._store.newest(), await self._store.all()
            except TROUBLES:
                await asyncio.sleep(LOOK_EVERY)
                continue
            self._roll = {one.id: replace(one, cursor=min(one.cursor, newest)) for one in everybody}
            for one in everybody:
                self._pace.begin(one)
            self._open = set(self._roll)
            self._ready.set()

    async def _hand_out(self) -> None:
        """Gives everybody who may have something to hear to the lane that is theirs."""
        while True:
            self._wake.clear()
            try:
                if self.kinds and self._roll and await self._gazette.read(self._clock.now()):
                    self._pace.stir()
                    self._open |= {id for id, one in self._roll.items() if one.confirmed_at is not None}
                await self._keep_rest()
            except TROUBLES:
                pass  # whoever writes the facts says so
            for count, id in enumerate(list(self._open), 1):
                one = self._roll.get(id)
                if one is None:
                    self._open.discard(id)
                elif id not in self._busy and not self._pace.waits(id):
                    self._busy.add(id)
                    doubtful = one.attempts > 0 or one.confirmed_at is None or self._pace.is_slow(id)
                    self._lanes[(one.kind, doubtful)].put_nowait(id)
                if count % AT_ONCE == 0:
                    await asyncio.sleep(0)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _take(self) -> None:
        """Looks at requests one by one, away from whoever waits for an answer."""
        while True:
            wish = await self._requests.get()
            waiting = [one for one in self._roll.values() if one.confirmed_at is None]
            if len(waiting) >= MOST_UNCONFIRMED:
                log.warning("%d addresses wait to be confirmed: no more are asked", len(waiting))
            elif sum(one.key == wish.key for one in waiting) < MOST_ASKED:
                try:
                    await self._store.add(wish)
                except TROUBLES:
                    continue  # they may ask again
                self._roll[wish.id] = wish
                self._open.add(wish.id)
                self.nudge()

    async def _sweep(self) -> None:
        while True:
            now = self._clock.now()
            await self.erase([one.id for one in self._roll.values() if one.is_forgotten(now)])
            with suppress(*TROUBLES):
                await self._store.sweep(now - 2 * RELEVANT)
            self._carrier.fade()
            while self._retired:
                await self._retired.pop().close()
            await asyncio.sleep(SWEEP_EVERY)

    async def _keep_rest(self) -> None:
        for id in list(self._unkept):
            one = self._roll.get(id)
            if one is None or await self._store.keep(one):
                self._unkept.discard(id)
            else:
                self._forget([id])

    async def _keep(self, one: Subscriber) -> None:
        """How a subscriber is now; who was erased meanwhile stays away."""
        self._roll[one.id] = one
        try:
            if not await self._store.keep(one):
                self._forget([one.id])
        except TROUBLES:
            self._unkept.add(one.id)

    # -- telling ------------------------------------------------------------------------------------------------------

    async def _work(self, lane: tuple[str, bool]) -> None:
        kind, queue = lane[0], self._lanes[lane]
        pause = LANES[lane] / MAILS_A_SECOND if kind == "email" else 0.0
        while True:
            id = await queue.get()
            try:
                began = self._clock.monotonic()
                while await self._serve(id):
                    await asyncio.sleep(max(0.0, began + pause - self._clock.monotonic()))
                    began = self._clock.monotonic()
            except Exception:  # a bug of ours with one of them must not keep the others waiting
                log.exception("a subscriber by %s could not be told", kind)
                await self._failed(id)
            finally:
                self._busy.discard(id)

    async def _serve(self, id: str) -> bool:
        """Tells one subscriber the next thing; False when there is nothing, or no way to tell it, now."""
        one, now, carrier, began = self._roll.get(id), self._clock.now(), self._carrier, self._clock.monotonic()
        if one is None or one.kind not in self.kinds or carrier.waits(one.kind, now) or not self._pace.is_due(id):
            return False
        edition = None if one.confirmed_at is None else self._edition(one, now)
        if isinstance(edition, datetime):
            self._pace.calm(id, edition - now)
            return False
        if edition is None and (one.confirmed_at is not None or one.asked_at is not None):
            self._open.discard(id)
            return False
        try:
            if edition is None:
                if await carrier.ask(one, self._bureau(), now):
                    await self._confirm(id)
            else:
                await carrier.tell(one, edition, self._gazette.subject(edition.subject), self._bureau(), now)
        except Unavailable:
            return await self._later(id, count=False)
        except Removed:
            log.info("a subscriber by %s is removed: nobody is there", one.kind)
            return await self._erased(id)
        except DeliveryFailed as error:
            return await (self._refused(id, edition) if error.permanent else self._failed(id, error.retry_after))
        self._pace.told(id, began)
        if (current := self._roll.get(id)) is not None:  # it may have confirmed meanwhile, or left
            await self._keep(asked(current, now) if edition is None else told(current, edition))
        return True

    def _edition(self, one: Subscriber, now: datetime) -> Edition | datetime | None:
        repeated = self._windows | {id for id, one in self._board().agenda.windows.items() if one.rule is not None}
        gazette, platform = self._gazette, self._config.platform
        found = next_edition(one, gazette.after(one.cursor), gazette.about, platform, repeated, now)
        if found is None:  # what nobody has to hear of is not looked at again
            self._roll[one.id] = replace(one, cursor=max(one.cursor, gazette.newest))
        return found

    def _bureau(self) -> Bureau:
        assert self.tickets is not None
        return Bureau(self._config.site, self._config.platform, self._speech(), self.tickets)

    async def _erased(self, id: str) -> bool:
        if await self.erase([id]) is not None:
            await self._later(id, count=False)
        return True

    async def _refused(self, id: str, edition: Edition | None) -> bool:
        """A receiver will not take this message, however often it is sent: the next one may be another matter."""
        one = self._roll.get(id)
        if one is not None and (edition is None or one.refusals + 1 >= MOST_REFUSED):
            log.info("a subscriber by %s is removed: it takes nothing", one.kind)
            await self._erased(id)
        elif one is not None and edition is not None:
            await self._keep(replace(told(one, edition), refusals=one.refusals + 1))
        return True

    async def _failed(self, id: str, wait: timedelta | None = None) -> bool:
        """It is tried again after a pause, or no more."""
        one = self._roll.get(id)
        if one is None or not suffered(one, self._pace.now_for(one)) or not self._carrier.vouches(one.kind):
            return await self._later(id, wait)
        log.info("a subscriber by %s is removed: it could not be reached for days", one.kind)
        return await self._erased(id)

    async def _later(self, id: str, wait: timedelta | None = None, *, count: bool = True) -> bool:
        """After a pause. `count`: that it was not reached is the fault of whoever is to be reached."""
        if (one := self._roll.get(id)) is not None:
            pause = max(pause_of(one.attempts + 1, self._random.random()), min(wait or timedelta(0), RELEVANT))
            self._pace.later(id, pause, count=count)
            await self._keep(failed(one, self._clock.now(), pause, count=count))
        return True
