"""Lookout: the half of a monitor that looks. Rounds, extra runs, canaries; whatever was seen is handed in.

`run` hands it to the desk and lets everybody who follows read along; `record` on its own writes it down.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.config import Config
from monitor.core.effect import Ask, AskCanaries, Hold, Lagging
from monitor.core.module import Platform
from monitor.core.observation import CANARY, Observation
from monitor.core.probe import Probe
from monitor.core.target import HttpTarget
from monitor.probers import PROBERS, Reach, look
from monitor.probers.rounds import Key, Rounds
from monitor.probers.seats import Seats
from monitor.spans import span

log = logging.getLogger(__name__)

NAMED = 20  # probes of one line of the log


class Lookout:
    """Looks as configured, from one place. `use` puts another configuration in force."""

    def __init__(
        self,
        config: Config,
        reach: Reach,
        clock: Clock,
        hand_in: Callable[[Observation], None],
        delayed: Callable[[float], None] = lambda seconds: None,
        left_out: Callable[[str, int], None] = lambda why, points: None,
        lagging: Callable[[Lagging], None] = lambda event: None,
    ) -> None:
        self._config = config
        self._reach = reach
        self._clock = clock
        self._hand_in = hand_in
        self._left_out = left_out
        self._canaries: set[asyncio.Task[None]] = set()
        self._rounds = Rounds(
            self._look,
            hand_in,
            clock,
            reach.location,
            delayed=delayed,
            skipped=lambda key: self._passed_over(key, "busy", 1),
            left_out=lambda key, points: self._passed_over(key, "overloaded", points),
            lagging=lambda key: lagging(Lagging(*key, reach.location)),
        )
        self._rounds.plan(config.platform.probes)
        _tell_of(config.platform)

    async def walk(self) -> None:
        """Looks until cancelled."""
        await self._rounds.walk()

    def use(self, config: Config) -> None:
        """Goes on with another configuration; what it has in common with the old one keeps its rhythm."""
        self._config = config
        self._rounds.plan(config.platform.probes)
        _tell_of(config.platform)

    def ask(self, ask: Ask) -> None:
        """Runs a probe once more; other places have a lookout of their own."""
        if ask.location == self._reach.location:
            self._rounds.ask((ask.module, ask.probe), ask.after)

    def hold(self, hold: Hold) -> None:
        """Leaves a probe alone until its target wants to be asked again."""
        if hold.location == self._reach.location:
            self._rounds.hold((hold.module, hold.probe), (hold.until - self._clock.now()).total_seconds())

    @property
    def probes(self) -> int:
        """How many it asks, those that are off included."""
        return len(self._config.platform.probes)

    @property
    def secrets(self) -> frozenset[str]:
        """What the configuration took from outside and nobody may read."""
        return self._reach.secrets

    def is_held(self, key: Key) -> bool:
        """Whether a target wants to be left alone at the moment."""
        return self._rounds.is_held(key)

    async def once(self, probe: Probe, trace: Callable[[str], None] | None = None) -> Observation:
        """A run besides the rounds, handed in nowhere; it places no orders."""
        return await look(probe, self._reach, trace=trace, fresh=bool(probe.steps))

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Asks every canary at once."""
        if ask.location != self._reach.location:
            return
        for target in self._config.network.canaries:
            task = asyncio.create_task(self._ask_canary(target, ask.location), name=f"canary {target}")
            self._canaries.add(task)
            task.add_done_callback(self._canaries.discard)

    def look(self, lost: float) -> None:
        """Goes easier on a process that loses so large a share of its time, and lets in who waits where there is room
        again."""
        self.seats.look(lost)
        self._rounds.admit()

    @property
    def seats(self) -> Seats:
        """How many runs are under way, and how many may be."""
        return self._rounds.seats

    def behind(self) -> float:
        """How many seconds the run that has waited the longest is late by now."""
        return self._rounds.behind()

    def _passed_over(self, key: Key, why: str, points: int) -> None:
        self._left_out(why, points)
        about = {"module": key[0], "probe": key[1]}
        log.debug("%s is not asked at %d points of its grid: %s", "/".join(key), points, why, extra={"about": about})

    async def _look(self, probe: Probe, scheduled_at: datetime, extra: bool) -> Observation:
        module = self._config.platform.modules.get(probe.module)
        also = [side.expect for side in module.verdicts.get(probe.id, ())] if module else []
        place = self._reach.location
        about = {"module": probe.module, "probe": probe.id, "location": place, "kind": probe.kind, "extra": str(extra)}
        with span("probe", about) as asked:
            seen = await look(probe, self._reach, scheduled_at=scheduled_at, also=also, fresh=extra)
            if seen.failure is not None:
                asked.set_attributes({"code": seen.failure.code})
        return seen

    async def _ask_canary(self, target: str, location: str) -> None:
        timeout = self._config.network.canary_timeout
        probe = Probe("", CANARY, "http", timedelta(minutes=1), timeout, ask=HttpTarget(target, follow=0))
        seen = await look(probe, self._reach, fresh=True)
        self._hand_in(replace(seen, module=None, probe=CANARY, location=location, address=target))


def _tell_of(platform: Platform) -> None:
    """Says which probes are never asked, or cannot be, and why: a line for each reason."""
    off: dict[str, list[str]] = {}
    for (module, id), probe in platform.probes.items():
        if probe.off is not None:
            off.setdefault(probe.off, []).append(f"{module}/{id}")
        elif probe.kind not in PROBERS:
            told = "probe %s/%s: probes of kind `%s` cannot run in this version"
            log.warning(told, module, id, probe.kind, extra={"about": {"module": module, "probe": id}})
    for why, probes in off.items():
        more = f" and {len(probes) - NAMED} more" if len(probes) > NAMED else ""
        log.info("%s: %s%s %s off", why, ", ".join(probes[:NAMED]), more, "is" if len(probes) == 1 else "are")
