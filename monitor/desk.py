"""Desk: the single consumer. Every event goes through here, one after another, so there is nothing to lock.

event → step → board and effects. Storable effects are written in order, those of a step always in one transaction;
while the store refuses, they wait in memory, and judging goes on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from monitor import chronicle, spans
from monitor.backlog import AT_ONCE, Backlog
from monitor.clock import Clock
from monitor.core.board import Board
from monitor.core.effect import (
    Ailing,
    Answered,
    Arranged,
    Ask,
    AskCanaries,
    Deed,
    Effect,
    Event,
    Happened,
    Hold,
    Keep,
    Marked,
    Moved,
    Observed,
    Refusal,
    Remember,
    Said,
    Saved,
    Spoken,
    Storable,
    Ticked,
    answer_of,
)
from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.core.search import Place, Search, page_of
from monitor.core.step import step
from monitor.core.word import Open
from monitor.hands import Hands, Store, Watcher
from monitor.ledger import Ledger

log = logging.getLogger(__name__)

GATHERED = 0.5  # seconds in which runs are gathered for one transaction; whatever else was decided does not wait
STORED_WITHIN = 10.0  # seconds a person waits for the disk
TURN = 0.02  # seconds that events are taken before others have the loop
LATE = 5.0  # seconds a transaction may take before nobody waits for the store any more
AWAY = Refusal("away", "it was heard, but cannot be stored at the moment: say it again")
UNREAD = Refusal("away", "the store does not answer at the moment: ask again")

QUIET = Keep | Remember | Marked  # what nobody waits for

T = TypeVar("T")
Check = Callable[[Incident | None], Refusal | None]  # of what the word is about, at the very moment it is taken


class Desk:
    """Owns the board. `board` is always the newest whole one; anybody may read it, nobody else replaces it."""

    def __init__(
        self,
        board: Board,
        store: Store,
        hands: Hands,
        clock: Clock,
        watcher: Watcher | None = None,
        troubles: type[Exception] | tuple[type[Exception], ...] = OSError,
    ) -> None:
        self.board = board
        self.backlog = Backlog()
        self.store_trouble: str | None = None
        self._performing: dict[str, asyncio.Event] = {}  # deeds under way by the name of their request
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        self._store = store
        self._hands = hands
        self._watcher = watcher or Watcher()
        self._clock = clock
        self._troubles: tuple[type[Exception], ...] = troubles if isinstance(troubles, tuple) else (troubles,)
        self._more = asyncio.Event()
        self._pressing = asyncio.Event()  # what waits is more than runs, or somebody waits for it
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []
        self._hearing = asyncio.Lock()
        self.took_at = clock.monotonic()  # when an event was last taken
        self._ledger = Ledger(lambda request: self._read(store.entry(request)))

    def hand_in(self, event: Event) -> None:
        """Puts an event on the queue; never waits."""
        self.queue.put_nowait(event)

    async def sit(self) -> None:
        """Takes events as they come, until cancelled. A step that fails is our bug: logged, and the board stands."""
        turn = self.took_at
        while True:
            if self.took_at - turn > TURN:  # a queue that is not empty is read without ever letting go of the loop
                await asyncio.sleep(0)
                turn = self._clock.monotonic()
            self.receive(await self.queue.get())

    def receive(self, event: Event | None, also: Sequence[Storable] = ()) -> None:
        """As `take`, for whoever can do nothing about a step that fails. `also` is stored together with what follows
        from the event, or by itself where there is none."""
        self.took_at = self._clock.monotonic()
        if event is None:
            return self._queue([*also])
        try:
            self.take(event, also)
        except Exception:
            log.exception("step failed on %s", type(event).__name__, extra={"about": chronicle.about_event(event)})
            self._queue([*also])

    def take(self, event: Event, also: Sequence[Storable] = ()) -> list[Effect]:
        """One step: the board is replaced, what is to be stored is queued, what is to be asked is asked."""
        return self._take(event, None, also)

    def _take(self, event: Event, said: Said | None, also: Sequence[Storable] = ()) -> list[Effect]:
        began = time.time_ns()
        self.board, effects = step(self.board, event, self._clock.now())
        if not spans.are_wanted() or (isinstance(event, Ticked) and not effects):
            return self._follow(event, effects, said, also)
        about: chronicle.Fields = {"event": type(event).__name__, **chronicle.about_event(event)}
        with spans.span("judge", about, began) as seen:
            self._follow(event, effects, said, also)
            for effect in effects:
                if isinstance(effect, Keep | Saved):
                    seen.set_attributes(chronicle.about(effect, self.board))
        return effects

    def _follow(self, event: Event, effects: list[Effect], said: Said | None, also: Sequence[Storable]) -> list[Effect]:
        storable: list[Storable] = []
        for effect in effects:
            self._perform(effect, storable)
            if isinstance(effect, Answered) and said is not None:
                storable += self._ledger.lines(said, effect, self._clock.now())
        self._queue([*storable, *also], isinstance(event, Observed) and event.carried)
        return effects

    def _queue(self, storable: list[Storable], whole: bool = False) -> None:
        if storable:
            self.backlog.add(storable, whole)
            self._more.set()
            if len(self.backlog) >= AT_ONCE or not all(isinstance(one, QUIET) for one in storable):
                self._pressing.set()

    # -- people -------------------------------------------------------------------------------------------------------

    async def hear(self, said: Said, check: Check | None = None) -> Answered:
        """What a person said, and what became of it; in the audit log in the same transaction. No answer but a refusal
        is given before it is on disk.

        One after the other: an old incident is read from the store before a word about it is taken.
        """

        async def follow() -> Answered:
            event, known = said.event, None
            assert not isinstance(event, Deed)
            if isinstance(event, Spoken) and not isinstance(event.word, Open):
                found = await self.find(event.word.incident)
                if isinstance(found, Refusal):
                    return self.record(said, Answered(event.word.incident, found, changed=False))
                known = found
                event = replace(event, known=known)
            if check is not None and (late := check(known)) is not None:
                _, effects = step(self.board, event, self._clock.now())  # what can never be followed is told first
                refusal = answer_of(effects).refusal
                useless = refusal is not None and refusal.kind in ("wrong", "unknown")
                return self.record(said, Answered(refusal=refusal if useless else late, changed=False))
            return answer_of(self._take(event, said))

        answer, stored = await self._once(said, follow)
        return answer if stored or answer.refusal is not None else replace(answer, refusal=AWAY)

    async def perform(self, said: Said, deed: Callable[[], Awaitable[Answered]]) -> Answered:
        """What a person made somebody else here do, done and recorded once. A store that refuses does not hinder it."""
        if (answer := await self._begun(said)) is not None:
            return answer
        try:
            answer = self.record(said, await deed())
            self._ledger.remember(said, answer)
        finally:
            if said.request is not None and (waiting := self._performing.pop(said.request, None)) is not None:
                waiting.set()
        await self._on_disk()
        return answer

    async def _begun(self, said: Said) -> Answered | None:
        """The answer to a deed of that name that was done before, once it is; None where it is to be done now. Nobody
        else waits for it: a test notice or a reload may take a while."""
        while (waiting := self._performing.get(said.request or "")) is not None:
            await waiting.wait()
        async with self._hearing:
            answer = await self._ledger.before(said)
        if answer is None and said.request is not None:
            if said.request in self._performing:
                return await self._begun(said)
            self._performing[said.request] = asyncio.Event()
        return answer

    async def _once(self, said: Said, follow: Callable[[], Awaitable[Answered]]) -> tuple[Answered, bool]:
        """Follows a request, unless one of that name was followed already: then its answer; and whether all of it is
        on disk."""
        async with self._hearing:
            answer = await self._ledger.before(said)
            if answer is None:
                answer = await follow()
                self._ledger.remember(said, answer)
            stored = await self._on_disk()
        return answer, stored

    async def _on_disk(self) -> bool:
        """Whether everything decided so far is stored, once it is, or within the time that a person waits for it."""
        try:
            async with asyncio.timeout(STORED_WITHIN):
                return await self.stored()
        except TimeoutError:
            return False

    def record(self, said: Said, answer: Answered) -> Answered:
        """Puts a line into the audit log, with the next transaction; gives the answer back."""
        self._queue([*self._ledger.lines(said, answer, self._clock.now())])
        return answer

    async def find(self, id: str) -> Incident | Refusal:
        """An incident, also one that the board no longer holds; or why there is none."""
        if (incident := self.board.incidents.get(id)) is not None:
            return incident
        if not id.isprintable():  # nothing is stored under it, and not every database can even be asked
            return Refusal("unknown", "there is no such incident")
        return await self._read(self._store.incident(id)) or Refusal("unknown", f"there is no incident {id[:40]}")

    async def incidents(self, search: Search) -> tuple[list[Incident], Place | None] | Refusal:
        """A page of incidents, and what the next one goes on after; however old, and as they are now."""
        stored = await self._read(self._store.incidents(search))
        return stored if isinstance(stored, Refusal) else page_of(search, self.board.incidents.values(), stored)

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]] | Refusal:
        """Lines of the audit log with their numbers, and one more than the limit where there is one."""
        return await self._read(self._store.entries(sought))

    async def _read(self, reading: Awaitable[T]) -> T | Refusal:
        """What the store holds, or that it does not answer."""
        troubles: tuple[type[Exception], ...] = (*self._troubles, TimeoutError)
        try:
            async with asyncio.timeout(STORED_WITHIN):
                return await reading
        except troubles:
            return UNREAD

    def _perform(self, effect: Effect, storable: list[Storable]) -> None:
        match effect:
            case Ask():
                self._hands.ask(effect)
            case AskCanaries():
                self._hands.ask_canaries(effect)
            case Hold():
                self._hands.hold(effect)
            case Answered():
                pass  # whoever spoke reads it from what `take` returns
            case _:
                if isinstance(effect, Keep):
                    self._watcher.judged(self.board, effect)
                    if log.isEnabledFor(logging.DEBUG):
                        fields = {"about": chronicle.about(effect, self.board)}
                        log.debug("%s", chronicle.told_of_run(effect), extra=fields)
                if (told := chronicle.told(effect)) is not None:
                    log.info("%s", told, extra={"about": chronicle.about(effect, self.board)})
                storable.append(effect)
                if isinstance(effect, Happened):
                    self._watcher.happened(effect, False)

    async def stored(self, hurry: bool = True) -> bool:
        """Waits until everything decided so far is stored; False as soon as the store refuses it. Without `hurry` it
        is gathered for as long as runs are."""
        if not self.backlog or self.store_trouble is not None:
            return not self.backlog
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.backlog.decided, waiting))
        if hurry:
            self._pressing.set()
        return await waiting

    def _tell_waiting(self, stored: bool) -> None:
        told = [one for one in self._waiting if not stored or not self.backlog.waits_for(one[0])]
        self._waiting = [one for one in self._waiting if one not in told]
        for _, waiting in told:
            if not waiting.done():
                waiting.set_result(stored)

    async def write(self) -> None:
        """Writes what waits, in order, until cancelled; tries again while the store refuses."""
        pause = 0.0
        while True:
            if not self.backlog:
                self._more.clear()
                await self._more.wait()
            with suppress(TimeoutError):  # a transaction costs as much as a hundred runs: they wait for one another
                async with asyncio.timeout(GATHERED):
                    await self._pressing.wait()
            if len(self.backlog) <= AT_ONCE:
                self._pressing.clear()
            try:
                await self._store_some()
                pause = 0.0
            except Exception as error:
                if not isinstance(error, self._troubles):  # whatever it is, nothing of it was stored
                    log.exception("the store failed in a way that was not foreseen")
                self._refused(error)
                await asyncio.sleep(pause := min(max(0.5, pause * 2), 10.0))

    async def flush(self) -> None:
        """Writes everything that waits. Raises what the store raises; nothing is lost by it."""
        while self.backlog:
            await self._store_some()

    async def _store_some(self) -> None:
        if self.backlog:
            began = self._clock.monotonic()
            effects = self.backlog.portion()
            await self._commit(effects)
            self._tell_waiting(True)
            if self.store_trouble is not None:
                log.info("the store takes writes again")
                self.store_trouble = None
                self.hand_in(Ailing("self.storage", over=True))
            for effect in effects:
                if isinstance(effect, Happened):
                    self._watcher.happened(effect, True)
            news = any(isinstance(effect, Moved | Saved | Arranged) for effect in effects)
            self._watcher.written(news, self._clock.monotonic() - began)

    async def _commit(self, effects: list[Storable]) -> None:
        """One transaction. One that takes long is over when it is, but whoever tells people does not wait for it."""
        saved = sorted({effect.incident.id for effect in effects if isinstance(effect, Saved)})
        steps = self.backlog.under_way
        about: dict[str, int | list[str]] = {"steps": steps, "effects": len(effects), "incidents": saved}
        late = asyncio.get_running_loop().call_later(LATE, self._refused, f"it has not answered for {LATE:g} s")
        try:
            with spans.span("store", about):
                await self._store.commit(effects)
            self.backlog.stored()
        finally:
            late.cancel()
            self.backlog.back()  # what is not stored

    def _refused(self, error: Exception | str) -> None:
        if self.store_trouble is None:
            log.error("the store refuses writes, going on from memory: %s", error)
            self._watcher.written(True, 0.0)
            self.hand_in(Ailing("self.storage"))
        self.store_trouble = str(error)
        self._watcher.refused(self.store_trouble)
        self._tell_waiting(False)
