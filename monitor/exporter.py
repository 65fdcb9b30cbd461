"""Exporter: answers `/probe` the way the blackbox exporter does, for what is configured and nothing else.

An answer is the last run that is known, or, when that is older than it should be, a run of its own: judged alone, told
to nobody, so that whoever asks changes no verdict. Few of those go on at a time, and one of each probe.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from monitor.clock import Clock
from monitor.core.board import Board
from monitor.core.expectation import Outcome, Result
from monitor.core.flow import judge_run
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.lookout import Lookout
from monitor.metrics import Metrics
from monitor.metrics.choice import NotMeant, calls_itself, chosen
from monitor.metrics.facts import page_of
from monitor.metrics.settings import hidden_in, settings_of
from monitor.web.multitarget import Asked, Told

FRESH = 1.5  # intervals for which a run stands for its target
AT_ONCE = 4
PAUSE = timedelta(seconds=1)  # between runs of our own of one probe
MARGIN = 0.5  # seconds of a scrape's time limit in which the answer travels

_DEBUG = """\
Logs for the probe:
{log}


Metrics that would have been returned:
{metrics}


Module configuration:
{settings}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run and what it says, with the steps it took where somebody wanted to read them."""

    probe: Probe
    observation: Observation
    result: Result
    log: list[str] = field(default_factory=list)


class Exporter:
    """`here` is the place that this process looks from."""

    def __init__(
        self, board: Callable[[], Board], metrics: Metrics, lookout: Lookout, clock: Clock, here: str = "here"
    ) -> None:
        self._board = board
        self._metrics = metrics
        self._lookout = lookout
        self._clock = clock
        self._here = here
        self._seats = asyncio.Semaphore(AT_ONCE)
        self._runs: dict[tuple[tuple[str, str], timedelta, bool], asyncio.Task[Seen]] = {}
        self._own: dict[tuple[str, str], Seen] = {}

    async def answer(self, asked: Asked) -> Told:
        """The page, or why there is none."""
        platform = self._board().platform
        try:
            probe = chosen(platform, asked.target, asked.module)
        except NotMeant as error:
            if error.unknown:
                self._metrics.module_unknown()
            return Told(400, str(error))
        if asked.hostname and not calls_itself(probe, asked.hostname):
            return Told(400, "hostname: the target has another one")
        if asked.location and asked.location not in probe.locations:
            return Told(400, "location: the target is not probed from there")
        place = asked.location or self._answering(probe)
        asking = _within(probe, asked.limit)
        seen = self._known(asking, place)
        if self._may_run(probe, place, seen, asked.debug):
            seen = await self._run(asking, asked.debug)
        elif seen is None or (place != self._here and not self._is_fresh(seen)):
            return Told(503, "there is no result of it that is new enough, and it cannot be run from here now")
        page = page_of(seen.probe, seen.observation, seen.result, asked.openmetrics)
        return Told(200, self._debug(seen, page) if asked.debug else page, openmetrics=asked.openmetrics)

    def _answering(self, probe: Probe) -> str:
        """The place that answers: this one, or else the first that has something to tell."""
        if self._here in probe.locations:
            return self._here
        return next((one for one in probe.locations if self._metrics.last(probe.key, one)), probe.locations[0])

    def _known(self, probe: Probe, place: str) -> Seen | None:
        """The newest run that says something to whoever asks now, of the rounds or of our own."""
        last, own = self._metrics.last(probe.key, place), self._own.get(probe.key)
        found = [] if last is None else [Seen(self._board().platform.probes[probe.key], *last)]
        if own is not None and place == self._here and self._counts(own, probe):
            found.append(own)
        return max(found, key=lambda one: one.observation.ended_at, default=None)

    def _counts(self, own: Seen, probe: Probe) -> bool:
        """Whether a run of our own stands for what is asked now: a failure under a shorter time limit does so only for
        a moment, or whoever is in a hurry would make it fail for all."""
        if replace(own.probe, timeout=probe.timeout) != probe:
            return False
        passed = own.result.outcome in (Outcome.PASSED, Outcome.SLOW)
        return passed or own.probe.timeout >= probe.timeout or self._age(own) < PAUSE

    def _is_fresh(self, seen: Seen) -> bool:
        return self._age(seen) < FRESH * seen.probe.interval

    def _age(self, seen: Seen) -> timedelta:
        return self._clock.now() - seen.observation.ended_at

    def _may_run(self, probe: Probe, place: str, seen: Seen | None, debug: bool) -> bool:
        if place != self._here or self._lookout.is_held(probe.key):
            return False
        return not (seen and self._is_fresh(seen)) or (debug and probe.extra_runs)

    async def _run(self, probe: Probe, debug: bool) -> Seen:
        """A run of our own. Whoever asks for the same meanwhile gets the same."""
        key = probe.key, probe.timeout, debug
        task = self._runs.get(key)
        if task is None:
            task = self._runs[key] = asyncio.create_task(self._look(probe, debug), name=f"/probe {'/'.join(probe.key)}")
            task.add_done_callback(lambda _: self._runs.pop(key, None))
        return await asyncio.shield(task)

    async def _look(self, probe: Probe, debug: bool) -> Seen:
        log: list[str] = []
        async with self._seats:
            observation = await self._lookout.once(probe, log.append if debug else None)
        seen = Seen(probe, observation, judge_run(observation, probe), log)
        known = self._board().platform.probes
        self._own = {key: one for key, one in self._own.items() if key in known} | {probe.key: replace(seen, log=[])}
        return seen

    def _debug(self, seen: Seen, page: str) -> str:
        """What was done and found, and what the probe is configured to do; secrets are hidden."""
        log = [*seen.log, *(f"judged {seen.result.outcome}: {reason}" for reason in seen.result.reasons)]
        if not seen.log:
            log.insert(0, "not run for this: the result is the last one that is known")
        hidden = hidden_in(seen.probe, self._lookout.secrets)
        told = _DEBUG.format(log="\n".join(log), metrics=page, settings=settings_of(seen.probe))
        return "\n".join(hidden(line) for line in told.split("\n"))

    def close(self) -> None:
        """Ends what is under way."""
        for task in self._runs.values():
            task.cancel()


def _within(probe: Probe, limit: float | None) -> Probe:
    """The probe under the time limit of a scrape in seconds, where that is shorter than its own."""
    left = None if limit is None else limit - MARGIN
    if left is None or not 0 < left < probe.timeout.total_seconds():
        return probe
    return replace(probe, timeout=timedelta(seconds=left))
