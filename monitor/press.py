"""Press: publishes the site at once when there is news, and every few seconds when there is none.

A publication is made from one picture, drawn and swapped in off the event loop. While the store does not answer it is
made from what was read last; while the disk does not take it, the last one stands.
"""

import asyncio
import logging
import operator
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from monitor.clock import Clock
from monitor.config import Config, ConfigError, Problem
from monitor.config.file import theme_dir
from monitor.core.board import Board
from monitor.core.heartbeat import HEARTBEAT
from monitor.core.history import History, Latency
from monitor.core.module import Platform
from monitor.core.probe import Role
from monitor.core.report import Report
from monitor.core.site import Site
from monitor.memory import give_back, overlooked
from monitor.pages.beat import Turns, beat_of
from monitor.pages.facts import Facts
from monitor.pages.found import Found
from monitor.pages.picture import DAYS, Picture, only_runs
from monitor.pages.publish import NotStored, Published, Publisher, PublishError
from monitor.pages.site import lay_site
from monitor.pages.slice import Slice
from monitor.pages.translate import Speech
from monitor.pages.truth import Contradiction, files_against_page
from monitor.reports import Reports
from monitor.spans import Span, span
from monitor.store import TROUBLES, Store

T = TypeVar("T")

log = logging.getLogger(__name__)

EVERY = 15.0  # seconds between publications when nothing happens
PATIENCE = 60.0  # seconds that a publication may take before something is wrong with the disk
READ = 20.0  # seconds that a publication waits for the store
PAUSE = 0.2  # seconds between publications when much happens
LARGE = 32  # files that one publication changes, from which on the memory it took is worth giving back at once
NEW = 300  # pages never printed before that one publication prints, at most
ANEW = 2000  # files in a language about single modules and components that one publication looks through, at most
TURN = 4.0  # … and seconds in which it does


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Work in a thread of its own that the end of the process does not wait for: a disk that hangs may never let it
    go, and a publication may be broken off at any moment."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="press", daemon=True).start()
    return done


def speech_of(config: Config) -> Speech:
    """The languages of a configuration; reads the disk. Raises ConfigError for a catalogue that cannot be read."""
    try:
        return Speech.load(config.site.languages, theme_dir(config.site.theme))
    except Exception as error:  # babel raises whatever it stumbles over
        said = f"a catalogue of `site.theme` cannot be read: {type(error).__name__}"
        raise ConfigError(config.file, [Problem(1, 1, said)]) from error


class Scene(NamedTuple):
    """What a picture is taken of, besides the history: the site, the board, and the end of the newest run."""

    site: Site
    board: Board
    data_until: datetime | None


def _judging(platform: Platform) -> set[tuple[str, str]]:
    """The probes whose latency is told: whoever calls us takes no time."""
    asked = ((key, probe) for key, probe in platform.probes.items() if probe.kind != HEARTBEAT)
    return {key for key, probe in asked if probe.off is None and probe.role is Role.VERDICT}


class Pace:
    """Latency moves with every run, and hardly. It is read once a minute, at once while there is little of it, and told
    of each module when that has its turn."""

    def __init__(self, platform: Platform, now: datetime) -> None:
        self._platform = platform
        self._turns = Turns(platform.modules, beat_of(len(platform.modules)))
        self._began = self._told_at = now
        self._read_at: datetime | None = None
        self._found: Mapping[str, Latency] = {}

    def fits(self, platform: Platform, now: datetime) -> bool:
        """Whether it goes on as it is; not with other modules, nor when the clock was set back."""
        return platform is self._platform and now >= (self._read_at or self._began)

    def due(self, now: datetime) -> bool:
        """Whether it is time to read."""
        if self._read_at is None or self._read_at < now.replace(second=0, microsecond=0):
            return True
        return now - self._read_at >= (now - self._began) * 0.8

    def read(self, found: Mapping[str, Latency], now: datetime) -> None:
        """This was read, by module."""
        self._found, self._read_at = found, now

    def tell(self, told: Mapping[str, Latency], now: datetime) -> Mapping[str, Latency]:
        """What is told now, where this was: what was read of those who had their turn since, or were never told of."""
        found, before, self._told_at = self._found, self._told_at, now
        new, gone = found.keys() - told.keys(), told.keys() - self._platform.modules.keys()
        moved = {id for id in (*self._turns.between(before, now), *new, *gone) if told.get(id) is not found.get(id)}
        if not moved:
            return told
        kept = {id: one for id, one in told.items() if id not in moved}
        return kept | {id: found[id] for id in moved if id in found}


class Press:
    """Makes publications. `published` is set once the first one is in place, `whole` once no page is left for the next;
    `behind`: files about single modules and components may say what was before, until a later one;
    `history` is what the last one was made from, `contradictions` what in it does not hold together."""

    def __init__(
        self,
        publisher: Publisher,
        store: Store,
        clock: Clock,
        scene: Callable[[], Scene],
        published: Callable[[float, datetime, Published], None] = lambda seconds, at, done: None,
    ) -> None:
        self.history = History()
        self.trouble: str | None = None
        self._from_memory = False
        self.published = asyncio.Event()
        self.whole = asyncio.Event()
        self.behind = False
        self.publishing_since: float | None = None
        self._publisher = publisher
        self._store = store
        self._clock = clock
        self._scene = scene
        self._tell = published
        self._nudged = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._writing: asyncio.Future[Any] | None = None
        self.contradictions: tuple[Contradiction, ...] = ()
        self._reports = Reports(store)
        self._last: tuple[Found, tuple[object, ...]] | None = None
        self._pace: Pace | None = None
        self._read_of: Board | None = None  # what the store was read beside last; None: there is news since

    speech: Speech
    theme: Path

    def speak(self, speech: Speech) -> None:
        """Goes on in these languages, with the theme they are of."""
        self.theme, self.speech = speech.theme, speech

    def nudge(self) -> None:
        """There is news."""
        self._read_of = None
        self._nudged.set()

    async def run(self) -> None:
        """Publishes until cancelled."""
        overlooked()  # a large configuration and all that is known of it
        while True:
            self._nudged.clear()
            await self.publish()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._nudged.wait()

    async def finish(self) -> None:
        """Returns once no thread writes any more: one that has begun cannot be called back."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    async def _aside(self, work: Callable[[], T]) -> T:
        """Does work off the loop; when it is cancelled, the work still goes on to its end. That it takes very
        long is told once: a disk keeps it waiting, or there is much to print and little time for it."""
        writing = self._writing = in_thread(work)
        _, waiting = await asyncio.wait({writing}, timeout=PATIENCE)
        if waiting:
            if self.trouble is None:
                log.error(
                    "a publication is not done after %g s: a disk that keeps it waiting, or little time", PATIENCE
                )
            self.trouble = f"a publication is not done after {PATIENCE:g} s"
        return await asyncio.shield(writing)

    async def publish(self) -> None:
        """One publication: a picture of now, swapped in whole. What goes wrong is told once, and that it is over."""
        async with self._one_at_a_time:
            self.publishing_since = self._clock.monotonic()
            try:
                with span("publish", {}) as seen:
                    await self._publish(seen)
            finally:
                self.publishing_since = None

    async def _publish(self, seen: Span) -> None:
        began, scene = self._clock.monotonic(), self._scene()
        now = self._clock.now()  # and so nothing in the scene is from later
        await self._read(scene.board, now)
        part = Slice(NEW, ANEW * len(scene.site.languages), TURN)
        speech, theme = self.speech, self.theme  # a reload may change them while the thread works
        ground = (scene.site, scene.board.platform, speech, theme)
        picture = Picture(
            scene.site, scene.board, self.history, now, scene.data_until,
            reports=await self._report(scene, now), before=self._before(ground),
        )  # fmt: skip
        try:
            done, found = await self._aside(lambda: self._write(picture, speech, theme, part))
            self._last = picture.cells.found, ground
            picture.cells.close()
            seen.set_attributes({"changed": len(done.changed), "removed": len(done.removed), "bytes": done.bytes})
        except NotStored as error:
            log.info("the whole site is made again: %s is not where it was published", error)
            self._last = None
            self.nudge()
            return
        except (PublishError, OSError) as error:
            if self.trouble is None:
                log.error("the site cannot be published: %s", error)
            self.trouble = str(error)
            return
        if self.trouble is not None:
            log.info("the site is published again")
        self.trouble = None
        self._contradict(found)
        self.published.set()
        self.behind = part.behind > 0
        if self.behind:
            self._nudged.set()
        if part.waiting:
            self.nudge()
        else:
            self.whole.set()
        self._tell(self._clock.monotonic() - began, self._clock.now(), done)

    async def _read(self, board: Board, now: datetime) -> None:
        try:
            async with asyncio.timeout(READ if self.published.is_set() else None):  # there is something in memory
                if self._pace is None or not self._pace.fits(board.platform, now):
                    self._pace = Pace(board.platform, now)
                due, since = self._pace.due(now), now - timedelta(days=DAYS + 2)
                history = self.history
                if due or self._read_of is None or not only_runs(self._read_of, board):
                    # else the store knows of nothing else either; what others wrote is read with the latency
                    self._read_of = board
                    history = await self._store.history(since, now, probes=_judging(board.platform), latency=due)
                if due:
                    self._pace.read(history.latency, now)
                self.history = replace(history, latency=self._pace.tell(self.history.latency, now))
        except (TimeoutError, *TROUBLES) as error:
            self._read_of = None
            if not self._from_memory:
                why = str(error) or f"not within {READ:g} s"
                log.warning("publishing from memory, the store does not answer: %s", why)
            self._from_memory = True
            return
        if self._from_memory:
            log.info("publishing what is stored again")
        self._from_memory = False

    async def _report(self, scene: Scene, now: datetime) -> tuple[Report, ...]:
        if self._from_memory:  # a store that does not answer is not waited for twice
            return self._reports.made
        return await self._reports.of(scene.site, scene.board, self.history, now)

    def _before(self, ground: tuple[object, ...]) -> Found | None:
        """What was worked out for the last publication, if it stood on the same ground: site, modules and languages."""
        if self._last is None or not all(map(operator.is_, ground, self._last[1])):
            return None
        return self._last[0]

    def _contradict(self, found: tuple[Contradiction, ...]) -> None:
        """Tells what does not hold together once, and once that it is over."""
        before = {(one.kind, one.subject) for one in self.contradictions}
        for one in found:
            if (one.kind, one.subject) not in before:
                fields = {"about": {"contradiction": one.kind.value}}
                log.warning("what is published contradicts itself: %s %s", one.kind, one.subject, extra=fields)
        for kind, subject in sorted(before - {(one.kind, one.subject) for one in found}):
            log.info("what is published agrees again: %s %s", kind, subject)
        self.contradictions = found

    def _write(
        self, picture: Picture, speech: Speech, theme: Path, part: Slice
    ) -> tuple[Published, tuple[Contradiction, ...]]:
        lay_site(picture, speech, theme, part, self._publisher.aside)
        laid = picture.cells.found
        files, changed = laid.files, frozenset(laid.changed)
        found = Facts(picture).contradictions()
        if not part.waiting and not part.behind:
            found = (*found, *files_against_page(picture, self._publisher.reading(files)))
        news = None if picture.before is None else changed  # on new ground nobody knows what is there no more
        done = self._publisher.publish(files, whole=not part.waiting, news=news)
        picture.cells.put_away()
        if len(done.changed) >= LARGE:
            overlooked()
            give_back()
        return done, found
