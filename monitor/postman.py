"""Postman: carries letters to their channels, and sees to it that none is lost.

Each channel has a worker of its own, so one that hangs delays no other. A letter is claimed in the store, sent under a
time limit, and settled under its claim: whatever happens in between, it is sent again rather than never. While the
store refuses writes letters leave from memory, in the same order and under the same ids, and what became of them is
written down once it takes writes again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from secrets import token_hex

from monitor.chronicle import about_letter, of_letter, told_of_letter
from monitor.clock import Clock
from monitor.core.effect import Happened
from monitor.core.incident import Incident
from monitor.core.outbox import (
    GONE,
    Letter,
    Sending,
    State,
    again,
    claimed,
    collapsed,
    dead,
    delivered,
    failed,
    found_again,
    is_past,
    letters_of,
    next_of,
    released,
)
from monitor.notify.box import Box
from monitor.notify.channel import Channel, DeliveryFailed, Message
from monitor.notify.patience import ended, within
from monitor.notify.text import OWN
from monitor.spans import span
from monitor.store import TROUBLES, Claim, Outbox
from monitor.undelivered import Undelivered
from monitor.unwritten import Unwritten

log = logging.getLogger(__name__)

LIMIT = timedelta(seconds=15)  # that an attempt may take, where its channel does not say
LOOK_EVERY = 1.0  # seconds between looks at what has come due
REFRESH_EVERY = 60.0  # seconds between looks at what others left
FINISH = 0.5  # seconds that an attempt may still take when it is to stop
RELEASE = 1.0  # seconds that a stop waits for the store to take back a claim

Write = Callable[[Sending, Incident | None, datetime, str | None], Message]
Hold = Callable[[Sending, Incident | None], str | None]  # why a letter is not to leave now, None when it may


class Postman:
    """`write` words a message for a channel's language, `known` gives an incident as it is now, `hold` says why a
    letter must wait. `counted` is told each outcome by channel; `limit` says how long an attempt on a
    channel may take, `owner` names this monitor among others that share the store. While it is `alone`, what the store
    refuses leaves from memory; else another may have judged the same, and a letter leaves only under a claim.
    `leaving` is told each letter before it leaves about an event that no store has taken."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        write: Callable[[str], Write],
        known: Callable[[str], Incident | None] = lambda id: None,
        hold: Hold = lambda sending, incident: None,
        counted: Callable[[str, str], None] = lambda channel, outcome: None,
        random: Random | None = None,
        limit: Callable[[str], timedelta] = lambda channel: LIMIT,
        owner: str = "",
        alone: Callable[[], bool] = lambda: True,
        leaving: Callable[[Letter], Awaitable[None]] | None = None,
    ) -> None:
        self.boxes: dict[str, Box] = {}
        self._outbox = outbox
        self._clock = clock
        self._write = write
        self._known, self._hold = known, hold
        self._counted = counted
        self._random = random or Random()
        self._limit, self._owner, self._alone = limit, owner, alone
        self._leaving = leaving
        self._unwritten = Unwritten(outbox)
        self._changed = asyncio.Event()  # the channels, for whoever sets their workers to work
        self.undelivered = Undelivered(outbox, clock, lambda: self.boxes, self.post, counted)
        self._look = asyncio.Event()  # … and for whoever looks at what the store holds

    # -- what comes in -----------------------------------------------------------------------------------------------

    def use(self, channels: Mapping[str, Channel]) -> None:
        """From now on these channels are used; one that is the same object goes on where it was. Letters to one that
        is gone wait for it to come back."""
        kept = {**self.undelivered.gone, **self.boxes}
        self.boxes = {
            name: known
            if (known := kept.get(name)) is not None and known.channel is channel
            else Box(channel, self._clock, known)
            for name, channel in channels.items()
        }
        self.undelivered.keep(kept, channels)
        self._changed.set()
        self._look.set()

    def add(self, happened: Happened, stored: bool) -> None:
        """Something happened that is told. Until it is stored it leaves only when the store refuses to take it."""
        self._unwritten.happened(happened, stored)
        for letter in letters_of(happened):
            self._put(letter)

    async def refresh(self) -> None:
        """Learns what waits in the store: at the start, and what others left. Raises StoreFailed."""
        found = await self._outbox.waiting()
        for letter in found:
            if letter.state is not State.DEAD:
                self._put(letter)
        for letter in found:
            if letter.state is State.DEAD:
                await self.undelivered.bury(letter)

    def _put(self, letter: Letter) -> None:
        if self._unwritten.keeps(letter):
            return
        if (box := self.boxes.get(letter.channel)) is None:
            self.undelivered.put(letter)
        else:
            box.put(found_again(letter, self._clock.now()) if letter.last_error == GONE else letter)

    # -- what goes out -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carries until cancelled; an attempt that is under way then is made again by whoever comes next."""
        workers: dict[str, tuple[Channel | None, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_up(), name="outbox")
            while True:
                self._changed.clear()
                for name, (channel, task) in list(workers.items()):
                    if name not in self.boxes or self.boxes[name].channel is not channel:
                        task.cancel()
                        del workers[name]
                for name, box in self.boxes.items():
                    if name not in workers:
                        workers[name] = (box.channel, group.create_task(self._work(name, box), name=f"channel {name}"))
                await self._changed.wait()

    async def _keep_up(self) -> None:
        """Looks at what the store holds from time to time, and writes down what it did not take."""
        begun = False
        while True:
            try:
                if not begun:
                    for lost in await self._outbox.begin(self._owner):  # what the process before us had claimed is free
                        await self.undelivered.bury(lost)
                begun = True
                await self.refresh()
                await self._unwritten.catch_up()
                await self.undelivered.look()
            except Exception as error:
                if not isinstance(error, TROUBLES):
                    log.exception("the outbox failed in a way that was not foreseen")
                self.refused(error)
            self._look.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_EVERY if self.store_trouble is None else LOOK_EVERY):
                    await self._look.wait()

    async def _work(self, name: str, box: Box) -> None:
        while True:
            try:
                sent = await self._once(name, box)
            except Exception:  # a bug of ours in one letter must not stop the others
                log.exception("channel %s: a letter could not be handled", name)
                sent = False
            if not sent:
                box.wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await box.wake.wait()

    async def _once(self, name: str, box: Box) -> bool:
        """Sends what is to be sent next; False when nothing is, now."""
        now = self._clock.now()
        if box.state() == "open":
            return False
        for waiting in box.queues():
            head = waiting[0]
            past = is_past(head, box.now_for(head)) and not box.is_held(head)
            if box.is_sent_elsewhere(head) or not (past or box.is_due(head)):
                continue
            sending = next_of(waiting, box.now_for(head))
            why = self._hold(sending, self._known(sending.letter.incident))
            if why is not None:
                box.hold(head, why)
                continue
            if past:
                await self._give_up(name, box, head, "nobody wants to hear of it any more")
                return True
            if self._unwritten.lacks(sending.letter) and (self.store_trouble is None or not self._alone()):
                continue  # the fact is not on disk yet, and the store has not refused it; or another may have judged it
            box.free(head)
            try:
                await self._carry(name, box, sending, now)
            except Exception as error:  # a letter that cannot be handled must not stand in the way of others
                letter = sending.letter
                log.exception("channel %s: notice %s cannot be handled", name, letter.event_id, extra=of_letter(letter))
                tried = replace(letter, attempts=letter.attempts + 1)
                box.replace((self._failed(tried, f"a bug of ours: {type(error).__name__}"),))
            return True
        return False

    async def _carry(self, name: str, box: Box, sending: Sending, now: datetime) -> None:
        """Claims, attempts, settles. Without a store it is sent under no claim."""
        letter, token = claimed(sending.letter, now, self._limit(name)), f"{self._owner}{token_hex(8)}"
        claim: Claim | None = Claim(None, None)
        known = not self._unwritten.lacks(letter)
        held = known and not (letter.incident.startswith(OWN) and self._unwritten.keeps(letter))
        attempt: asyncio.Task[Letter] | None = None
        try:
            if held:
                self._unwritten.forget(letter)  # this attempt says more than the one before
                try:
                    claim = await self._outbox.claim(letter, token, now, sending.folded)
                except TROUBLES as error:
                    self.refused(error)
                    if not self._alone():
                        return await asyncio.sleep(LOOK_EVERY)  # nobody may say it but whoever the store lets claim it
                    held = False
            if claim is None:
                # Somebody else has it, or is done with it: what the store says counts, but for what it has not heard.
                found = [one for one in await self._outbox.waiting() if one.state is not State.DEAD]
                return box.learn(letter, [one for one in found if not self._unwritten.keeps(one)])
            incident = claim.incident or self._unwritten.about(letter) or self._known(letter.incident)
            if incident is None and not letter.incident.startswith(OWN):
                after = self._failed(letter, "its incident cannot be read", permanent=held)
            else:
                if not known and self._leaving is not None:
                    await self._leaving(letter)
                trying = self._attempt(box, replace(sending, letter=letter), incident, claim.external)
                attempt = asyncio.create_task(trying)
                after = await asyncio.shield(attempt)
        except asyncio.CancelledError:
            if attempt is not None and await self._ended(attempt):
                await self._settle(name, box, attempt.result(), sending.folded, token if held else None)
            elif held:
                await self._release(letter, token)
            raise
        await self._settle(name, box, after, sending.folded, token if held else None)

    async def _ended(self, attempt: asyncio.Task[Letter]) -> bool:
        """Whether an attempt ends by itself within a moment; else it is cut off, and perhaps made twice."""
        if (await asyncio.wait({attempt}, timeout=FINISH))[0]:
            return True
        await ended(attempt)
        return False

    async def _release(self, letter: Letter, token: str) -> None:
        """Whoever comes next need not wait for the end of a claim of ours. The store is not asked twice."""
        try:
            async with asyncio.timeout(RELEASE):
                if await self._outbox.settle(released(letter), (), token):
                    self._put(released(letter))
        except (TimeoutError, *TROUBLES) as error:
            log.warning("notice %s is sent again once our claim has ended: %s", letter.event_id, error)

    async def _attempt(self, box: Box, sending: Sending, incident: Incident | None, external: str | None) -> Letter:
        """One attempt, and the letter after it."""
        letter = sending.letter
        limit = self._limit(letter.channel).total_seconds()
        try:
            now, write = self._clock.now(), self._write(letter.channel)
            message = await asyncio.to_thread(write, sending, incident, now, external)  # a large one takes a while
            with span("deliver", {**about_letter(letter), "attempt": letter.attempts}):
                assert box.channel is not None
                called = await within(limit, box.channel.deliver(message))
        except DeliveryFailed as error:
            box.rest(error.retry_after)
            return self._failed(letter, str(error), permanent=error.permanent, retry_after=error.retry_after)
        except TimeoutError:
            return self._failed(letter, f"no answer within {limit:g} s")
        except Exception as error:
            log.exception("channel %s failed in a way that was not foreseen", letter.channel)
            return self._failed(letter, f"a bug of ours: {type(error).__name__}")
        return delivered(letter, self._clock.now(), called)

    def _failed(
        self, letter: Letter, reason: str, *, permanent: bool = False, retry_after: timedelta | None = None
    ) -> Letter:
        now, chance = self._clock.now(), self._random.random()
        return failed(letter, now, reason, chance, permanent=permanent, retry_after=retry_after)

    async def _settle(self, name: str, box: Box, after: Letter, folded: Sequence[Letter], token: str | None) -> None:
        """What became of an attempt: on the channel, in memory, and in the store."""
        told = [collapsed(one, self._clock.now(), after) for one in folded] if after.state is State.DELIVERED else []
        for one in (box, *self._boxes_of(name)):  # the channel may have been changed meanwhile
            one.replace((after, *told))
        box.wait_with(() if told else folded, after)
        self._fared(name, box, after)
        if token is None:
            self._unwritten.keep(after, told)
        else:
            await self._unwritten.settle(after, told, token)
        if after.state is State.DEAD:
            await self.undelivered.alarm(name, box, [after])

    def _fared(self, name: str, box: Box, after: Letter) -> None:
        """Counts an outcome; the first failure and the recovery are logged, not each repeat."""
        self._counted(name, {State.DELIVERED: "delivered", State.DEAD: "dead"}.get(after.state, "failed"))
        for level, line in told_of_letter(after, turned=box.fared(after)):
            log.log(level, line, extra=of_letter(after))

    async def _give_up(self, name: str, box: Box, letter: Letter, reason: str) -> None:
        last = f"{reason}; last: {letter.last_error}" if letter.last_error else reason
        after = dead(letter, self._clock.now(), last)
        box.replace((after,))
        self._counted(name, "dead")
        await self._unwritten.settle(after, (), None)
        await self.undelivered.alarm(name, box, [after])

    # -- what people ask for ---------------------------------------------------------------------------------------

    async def post(self, letter: Letter) -> None:
        """One more letter, of the monitor's own."""
        try:
            await self._outbox.post([letter])
        except TROUBLES as error:
            self.refused(error)
            self._put(letter)
            self._unwritten.keep(letter)
        self._put(letter)

    async def trial(self, channel: str) -> str | None:
        """A test notice, through everything a real one goes through; why it did not arrive, None when it did.

        It is tried once, and at once, whatever the channel did before.
        """
        now, box = self._clock.now(), self.boxes[channel]
        letter = Letter(f"{OWN}{channel}", int(now.timestamp() * 1000), channel, "test", "test", now)
        try:
            await self._outbox.post([letter])
            taken, token = claimed(letter, now, self._limit(channel)), f"{self._owner}{token_hex(8)}"
            if await self._outbox.claim(taken, token, now) is None:
                return "somebody else is sending it"
        except TROUBLES as error:
            return str(error)
        after = await self._attempt(box, Sending(taken, "test"), None, None)
        if after.state is not State.DELIVERED:
            after = dead(after, self._clock.now(), after.last_error or "")
        await self._outbox.settle(after, (), token)
        self._fared(channel, box, after)
        return None if after.state is State.DELIVERED else after.last_error

    async def again(self, letter: Letter) -> bool:
        """A dead letter is sent once more; False when it is not dead. Raises StoreFailed."""
        fresh = again(letter, self._clock.now())
        if revived := await self._outbox.revive(fresh):
            self._put(fresh)
        return revived

    async def drop(self, letter: Letter) -> bool:
        """A letter that waits is given up by a person; False when it does not wait. Raises StoreFailed."""
        after = dead(letter, self._clock.now(), "given up by a person")
        if not await self._outbox.settle(after, (), None):
            return False
        for box in self._boxes_of(letter.channel):
            box.replace((after,))
        return True

    def _boxes_of(self, channel: str) -> list[Box]:
        return [boxes[channel] for boxes in (self.boxes, self.undelivered.gone) if channel in boxes]

    # -- what is seen of it ------------------------------------------------------------------------------------------

    @property
    def store_trouble(self) -> str | None:
        """Why the store refuses the outbox, None while it takes it."""
        return self._unwritten.trouble

    def refused(self, error: Exception | str) -> None:
        """The store does not take what happens: letters about it leave all the same."""
        self._unwritten.refused(error)

    def pending(self) -> dict[str, tuple[int, float]]:
        """How many letters wait on each channel, and for how many seconds the oldest has that is not held."""
        boxes = {**self.undelivered.gone, **self.boxes}
        return {name: (sum(1 for _ in box.letters()), box.oldest()) for name, box in boxes.items()}
