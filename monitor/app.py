"""App: the composition. Configuration in, rooms opened in one exit stack, one task group, named and guarded.

Everything that decides sits in core, everything that acts in the other rooms; here they are only tied together.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.circulation import Circulation
from monitor.clock import Clock, SystemClock
from monitor.config import Config
from monitor.config.apart import reloaded
from monitor.core import herald
from monitor.core.alias import aliases_of
from monitor.core.board import Board
from monitor.core.effect import Called, Happened, Keep, Missed, Observed, Reconfigured, Ticked
from monitor.core.history import board_from
from monitor.core.observation import Observation
from monitor.courier import Courier
from monitor.data import place_of, secret_of
from monitor.desk import Desk
from monitor.exporter import Exporter
from monitor.figures import Figures
from monitor.following import Following
from monitor.hands import Watcher
from monitor.logs import mask_with
from monitor.lookout import Lookout
from monitor.mailroom import Mailroom
from monitor.mask import masker
from monitor.memory import settled
from monitor.metrics import Metrics
from monitor.opsroom import context_of
from monitor.pages.publish import Published, Publisher
from monitor.pages.translate import Speech
from monitor.pages.truth import Kind
from monitor.places.exchange import Exchange
from monitor.press import Press, Scene, speech_of
from monitor.probers import Reach
from monitor.pulse import Pulse, clocks_of
from monitor.reloading import Reloading
from monitor.selfwatch import Selfwatch
from monitor.standby import lead_of
from monitor.store import TROUBLES
from monitor.tally import Tally
from monitor.turns import Jobs, Turns
from monitor.upkeep import Upkeep
from monitor.watchroom import Watchroom
from monitor.web.link import Links
from monitor.web.ops import OpsContext

log = logging.getLogger(__name__)


class App(Turns, Watcher):
    """One running monitor. `started` is called once everything listens and the first page is out."""

    def __init__(
        self,
        config: Config,
        data: Path,
        *,
        clock: Clock | None = None,
        reload_from: str | None = None,
        adapt: Callable[[Config], Config] = lambda config: config,
        started: Callable[["App"], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(data, clock or SystemClock())
        self.config = config
        self._adapt = adapt
        self.reloading = Reloading(reload_from, self._read, self._replace, self._reloaded)
        self._started = started
        self._data_until: datetime | None = None
        self.following = Following()

    async def _open(self, stack: AsyncExitStack) -> None:
        """1. what was remembered, 2. the page, 3. who looks, 4. who judges, 5. who tells, 6. what operators see, and
        then the configuration is an event like any other."""
        platform = self.config.platform
        await self.store.rename(aliases_of(platform))
        memory = await self.store.recall(self._clock.now() - platform.tuning.reopen)
        self.metrics = Metrics(platform, self._clock)
        self.metrics.contradicted(dict.fromkeys(Kind, 0))
        self._count(self.config)
        await self._open_press()
        await self._open_lookout(stack)
        board, self.tally = board_from(platform, memory), Tally(self.data / "told")
        stored = {id: told.seq for id, told in board.told.items()}
        board = herald.counted(board, await asyncio.to_thread(self.tally.begin, stored))
        self.desk = Desk(board, self.store, self.places, self._clock, watcher=self, troubles=TROUBLES)
        self.places.begin(self.desk, memory.marks, self.following.tell)
        self.reach.called = lambda key: self.desk.board.calls.get(key)
        self._open_mailroom(stack)
        self._open_watchroom(stack)
        self.figures = Figures(self.store, self._clock, lambda: self.desk.board, lambda: self.config.site)
        self.upkeep = Upkeep(
            self.store, self._clock, self.figures, lambda: self.config, lambda: self.desk.board, self.desk.hand_in
        )
        self.desk.take(Reconfigured(platform))
        self.desk.take(await self.upkeep.plan())
        self.reloading.begin()

    async def _open_press(self) -> None:
        publisher = await asyncio.to_thread(Publisher, self.data)  # reads what is published; that is served meanwhile
        self.press = Press(publisher, self.store, self._clock, self._scene, published=self._published)
        self.press.speak(await asyncio.to_thread(speech_of, self.config))
        self.courier = Courier(self.data / "public", ran=self.metrics.hook)
        self.courier.use(self.config.hooks)

    async def _open_lookout(self, stack: AsyncExitStack) -> None:
        network, secrets, place = self.config.network, self.config.secrets, self.config.settings.location
        self.reach = await stack.enter_async_context(Reach.open(network, secrets, self._clock, place))
        self.pulse = Pulse(late=self.metrics.loop_lag, missed=self._missed, clocks=clocks_of(self._clock))
        self.reach.stalled = self.pulse.stalled
        self.lookout = Lookout(
            self.config,
            self.reach,
            self._clock,
            self._seen,
            delayed=self.metrics.delayed,
            left_out=self.metrics.left_out,
            lagging=lambda event: self.desk.hand_in(event),
        )
        self.places = Exchange(self.config, self._clock, self.lookout)

    def _open_mailroom(self, stack: AsyncExitStack) -> None:
        secret = secret_of(self.config, self.data)
        self.links = Links(secret, self.config.settings.ops_url)
        self.mailroom = Mailroom(
            self.config,
            self.store,
            self._clock,
            lambda: self.desk.board,
            lambda event: self.desk.hear(event),
            lambda: self.press.speech,
            self.metrics.noticed,
            self.links.acknowledge_url,
            instance=place_of(self.data),
            alone=lambda: self.leadership.is_alone,
            valid=lambda: self.leadership.is_valid,
            leaving=self.tally.note,
        )
        stack.push_async_callback(self.mailroom.close)
        self.circulation = Circulation(
            self.config, self.store, self._clock, lambda: self.desk.board, lambda: self.press.speech, secret
        )
        stack.push_async_callback(self.circulation.close)

    def _open_watchroom(self, stack: AsyncExitStack) -> None:
        parts = (self.desk, self.press, self.lookout, self.metrics, self.mailroom, self.pulse, self.places)
        self.selfwatch = Selfwatch(*parts, self._clock)
        self.watchroom = Watchroom(
            self.desk, self.press, self.lookout, self.selfwatch, self._clock,
            self._scene, self.reach.location, self.mailroom, self.places,
        )  # fmt: skip
        self.watchroom.lead = lambda: lead_of(self.leadership)
        self.exporter = Exporter(lambda: self.desk.board, self.metrics, self.lookout, self._clock, self.reach.location)
        stack.callback(self.exporter.close)

    def _scene(self) -> Scene:
        """What there is to show. No result is newer than now, though a clock was set back, or an agent's is ahead."""
        if self._data_until is not None:
            self._data_until = min(self._data_until, self._clock.now())
        return Scene(self.config.site, self.desk.board, self._data_until)

    def _jobs(self) -> Jobs:
        return {
            "desk": self.desk.sit,
            "writer": self.desk.write,
            "rounds": self.lookout.walk,
            **self.places.jobs(),
            "clock": self._tick,
            "press": self.press.run,
            "courier": self.courier.run,
            "mailroom": self.mailroom.run,
            "circulation": self.circulation.run,
            "configuration": self.reloading.watch,
            "sweeper": self.upkeep.run,
            "pulse": self.pulse.beat,
            "watchdog": self.watchdog.run,
            "memory": lambda: settled(self.press.whole),
        }

    # -- what happens at the desk ------------------------------------------------------------------------------------

    def judged(self, board: Board, keep: Keep) -> None:
        """Counts a judged run; one that came late says nothing of now."""
        observation = keep.observation
        if keep.late:
            return
        self._data_until = max(self._data_until or observation.ended_at, observation.ended_at)
        self.watchroom.judged(keep)
        probe = board.platform.probes.get((observation.module or "", observation.probe))
        if probe is not None:
            incident = board.incident_of(probe.module)
            self.metrics.observed(probe, observation, keep.result, incident.id if incident else None)

    def written(self, news: bool, seconds: float) -> None:
        """Facts are stored: a change of status goes to the page at once."""
        if self.desk.store_trouble is None and seconds > 0:
            self.metrics.stored(seconds)
            self.selfwatch.wrote()
        if news:
            self.press.nudge()
            self.mailroom.changed()
            self.circulation.nudge()

    def happened(self, event: Happened, stored: bool) -> None:
        """Letters about it leave once it is stored."""
        self.mailroom.happened(event, stored)

    def refused(self, reason: str) -> None:
        """The store does not take what was decided: letters leave from memory."""
        self.metrics.refused()
        self.selfwatch.wrote(well=False)
        self.mailroom.postman.refused(reason)

    def _published(self, seconds: float, at: datetime, done: Published) -> None:
        """A publication is in place."""
        if self.leadership.is_valid:  # else somebody else may take the site elsewhere
            self.courier.published(done)
        self.metrics.published(seconds, at)
        self.selfwatch.published()
        found = [one.kind for one in self.press.contradictions]
        self.metrics.contradicted({kind.value: found.count(kind) for kind in Kind})

    # -- loops -------------------------------------------------------------------------------------------------------

    def _seen(self, observation: Observation) -> None:
        """Hands in what was seen, and lets everybody who follows read along."""
        self.desk.hand_in(Observed(observation))
        self.following.tell(observation)

    def _missed(self, code: str, seconds: float, shift: float = 0.0) -> None:
        """This process could not look for so long, or its clock was set by so many seconds."""
        now, set_by = self._clock.now(), timedelta(seconds=shift)
        self.desk.hand_in(Missed(self.reach.location, now - timedelta(seconds=seconds), now, code, set_by))

    async def _called(self, module: str, probe: str) -> bool:
        """A module called one of its heartbeats; whether that is on disk by now."""
        self.desk.take(Called(module, probe))
        return await self.desk.stored()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.pulse.look()  # a clock that was set is told before anything comes due by it
            self.desk.hand_in(Ticked())
            self.selfwatch.look()
            self.metrics.led(self.leadership.is_valid, self.leadership.others)
            self.metrics.outbox(self.mailroom.postman.pending())
            self.metrics.queue("events", self.desk.queue.qsize())
            self.metrics.backlog(len(self.desk.backlog), self.desk.backlog.shed)

    # -- configuration -----------------------------------------------------------------------------------------------

    async def reload(self) -> list[str]:
        """Puts the file's configuration in force; what is wrong with it otherwise, and nothing changes."""
        return await self.reloading.ask()

    def _read(self, file: str) -> tuple[Config, Speech]:
        config = self._adapt(reloaded(file, self.config))
        return config, speech_of(config)

    async def _replace(self, fresh: tuple[Config, Speech]) -> None:
        """Everything that can fail has been done: from here on all of it is in force."""
        self.watchdog.reloading()
        try:
            if self.standby is None:
                await self._put_in_force(*fresh)
            else:
                mask_with(masker(self.config.secrets | fresh[0].secrets))
                self.begin_anew(fresh[0])
        finally:
            self.watchdog.ready()

    async def _put_in_force(self, config: Config, speech: Speech) -> None:
        try:
            await self.store.rename(aliases_of(config.platform))
        except TROUBLES as error:
            log.error("renamed modules get their history at the next start: %s", error)
        planned = await self.upkeep.plan(config)
        mask_with(masker(self.config.secrets | config.secrets))
        self._use(config, speech)
        self.desk.hand_in(planned)
        log.info("configuration reloaded; modules: %d", len(config.platform.modules))

    def _reloaded(self, problems: list[str], ways: list[str]) -> None:
        if problems:
            log.error("the configuration is not reloaded: %s", problems[0])
        self.metrics.reloaded(not problems)
        if self.standby is None:
            self.watchroom.reloaded(problems, ways)

    def _use(self, config: Config, speech: Speech) -> None:
        self.press.speak(speech)
        self.courier.use(config.hooks)
        now, before = config.settings, self.config.settings
        if replace(now, roster=before.roster, ops_url=before.ops_url) != before:
            log.warning("changes under `monitor:` take effect at the next start, but for `ops_url` and who gets in")
        self.links.ops_url = now.ops_url
        try:
            self.reach.reconfigure(config.network, config.secrets)
        except OSError as error:
            log.error("the new network settings are not used: %s", error)
        self.config = config
        self.watchroom.use(config.platform)
        self._count(config)
        self.lookout.use(config)
        self.places.use(config)
        self.mailroom.use(config)
        self.circulation.use(config)
        self.desk.hand_in(Reconfigured(config.platform))
        self.press.nudge()

    def _count(self, config: Config) -> None:
        """From now on there are series of what is configured, and of nothing else."""
        channels, hooks = config.sections.get("channels", {}), [hook.id for hook in config.hooks]
        self.metrics.reconfigured(config.platform, channels, hooks)

    # -- serving and leaving -----------------------------------------------------------------------------------------

    def _context(self) -> OpsContext:
        return context_of(
            self,
            reload=self.reload,
            follow=self.following.follow,
            called=self._called,
            hear=self.desk.hear,
            **self.watchroom.ears(),
            answers=self.exporter.answer,
            subscriptions=self.circulation,
        )

    def _stuck(self, patience: float) -> str | None:
        return (self.standby or self.selfwatch).stuck(patience)

    async def _begin(self) -> None:
        started, self._started = self._started, None
        if started is not None:
            await started(self)

    async def _flush(self) -> None:
        await self.desk.flush()

    def _unwritten(self) -> int:
        return len(self.desk.backlog)
