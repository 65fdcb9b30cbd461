"""Run: one asking of one question, while it happens: which phase, since when, and what was seen so far.

Probers write into it as they go, so an exchange that is cut off at any moment leaves every fact gathered until then.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from monitor.core.expectation import Expect
from monitor.core.observation import CANARY, PHASES, Certificate, Failure, Http, Observation, StepRun
from monitor.core.probe import Probe
from monitor.mask import Mask, mask_of
from monitor.probers.failure import Stopped

if TYPE_CHECKING:
    from monitor.probers.reach import Reach

# Headers of ours whose values are secrets wherever they come from, in lower case.
SECRET_HEADERS = frozenset(
    {
        *("authorization", "proxy-authorization", "cookie"),
        *("x-vtex-api-appkey", "x-vtex-api-apptoken", "vtexidclientautcookie"),
    }
)

TRACE_LINE = 1000


class Run:
    """The facts of one run. `enter` starts a phase and ends the one before; times are seconds of a monotonic clock."""

    def __init__(
        self,
        probe: Probe,
        reach: "Reach",
        scheduled_at: datetime | None = None,
        trace: Callable[[str], None] | None = None,
        also: Sequence[Expect] = (),
        fresh: bool = False,
    ) -> None:
        self.probe = probe
        self.expects = (probe.expect, *also)
        self.fresh = fresh
        self.at = reach.clock.now()
        self.scheduled_at = scheduled_at or self.at
        self.phase: str | None = None
        self.phases: dict[str, float] = {}
        self.first_byte_at: float | None = None
        self.last_byte_at: float | None = None
        self.address: str | None = None
        self.certificate: Certificate | None = None
        self.http: Http | None = None
        self.dns: Mapping[str, Any] | None = None
        self.values: dict[str, Any] = {}
        self.failure: Failure | None = None
        self.steps: tuple[StepRun, ...] | None = None
        self.once = False  # nobody asks again, word for word, what is asked here: it is not worth remembering
        self.read_as: Callable[[str], str] = str  # what a code means where it is not the module that was asked
        self.late: Stopped | None = None  # what the time limit means now, where the phase alone does not tell
        self.mask: Mask = mask_of(reach.secrets | secrets_of(probe))
        self._location = reach.location
        self.trace = trace
        self._clock = reach.clock.monotonic
        self._began = self._clock()
        self._since = self._began
        self._ended: float | None = None
        self._limit: asyncio.Timeout | None = None

    @property
    def seconds(self) -> float:
        """How long the exchange has taken so far, or took."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def began(self) -> float:
        """When the exchange began, on the monotonic clock."""
        return self._began

    @property
    def ended(self) -> float:
        """When it was over; now, while it is not."""
        return self._clock() if self._ended is None else self._ended

    def limit(self, seconds: float) -> asyncio.Timeout:
        """The time limit over the block; `finish` and `unlimited` take it off."""
        self._limit = asyncio.timeout(seconds)
        return self._limit

    def unlimited(self) -> None:
        """Takes the time limit off."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)
        self._limit = None

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[None]:
        """What is left of the time limit, over the block: it ends early when the limit strikes, instead of the run.

        For probers that make something of what they have by then. Afterwards no limit runs any more.
        """
        when = self._limit.when() if self._limit else None
        if self._limit:
            self._limit.reschedule(None)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(when):
                yield

    async def wait_for(self, place: Awaitable[object]) -> None:
        """Waits for something of our own that is taken, with the clock stopped: that makes no target slow."""
        began = self._clock()
        when = self._limit.when() if self._limit else None
        if self._limit:
            self._limit.reschedule(None)
        try:
            await place
        finally:
            waited = self._clock() - began
            self._since += waited
            self._began += waited
            if self._limit and when is not None:
                self._limit.reschedule(when + waited)

    def enter(self, phase: str | None, at: float | None = None) -> None:
        """Another phase begins, now or at an earlier mark. A phase entered again, for a redirect, adds up."""
        now = self._clock() if at is None else at
        if self.phase is not None:
            self.phases[self.phase] = self.phases.get(self.phase, 0.0) + max(0.0, now - self._since)
        self.phase, self._since = phase, now

    def byte_came(self) -> None:
        """Marks the first byte of an answer, and the last one so far."""
        self.last_byte_at = self._clock()
        if self.first_byte_at is None:
            self.first_byte_at = self.last_byte_at

    def set_aside(self, since: float) -> None:
        """What passed since then was our own, between two times of the target's: that makes no target slow."""
        own = self._clock() - since
        self._since += own
        self._began += own

    def finish(self, at: float | None = None) -> None:
        """The exchange is over, now or at an earlier mark, and its time limit with it: the rest is work of our own."""
        if self._ended is None:
            self._ended = max(self._since, at) if at is not None else self._clock()
            self.enter(None, self._ended)
            self.unlimited()

    def fail(self, code: str, detail: str) -> None:
        """Keeps why the run failed; the first reason stays."""
        if self.failure is None:
            meant = self.read_as(code)
            detail = detail if meant == code else f"{detail} ({code})"
            self.failure = Failure(meant, self.mask.line(detail))
            self.note(f"failed: {meant}: {detail}")

    @property
    def traced(self) -> bool:
        """Whether anybody reads the notes, for those that cost something to write."""
        return self.trace is not None

    def note(self, text: str) -> None:
        """One step of the exchange, for `--debug`."""
        if self.trace is not None:
            self.trace(f"{(self._clock() - self._began) * 1000:9.1f} ms  {self.mask.line(text, TRACE_LINE)}")

    def observation(self) -> Observation:
        """The facts as they stand."""
        canary = self.probe.id == CANARY
        return Observation(
            at=self.at,
            module=None if canary else self.probe.module,
            probe=self.probe.id,
            location=self._location,
            scheduled_at=self.scheduled_at,
            duration=self.seconds,
            phases={name: self.phases[name] for name in (*PHASES, *self.phases) if name in self.phases},
            address=self.address if not canary else self.probe.instance or self.address,
            failure=self.failure,
            http=self.http,
            certificate=self.certificate,
            dns=self.dns,
            steps=self.steps,
            values=self.values,
        )


def secrets_of(probe: Probe) -> frozenset[str]:
    """Values of the probe's own headers that must not be shown, wherever they were written."""
    asked = [probe.ask, *(getattr(step.ask, "http", None) for step in probe.steps)]
    headers = [pair for one in asked for pair in getattr(one, "headers", ())]
    hidden = {value for name, value in headers if name.lower() in SECRET_HEADERS}
    # `Bearer abc`: a server that echoes the token rarely echoes the word before it.
    return frozenset(hidden | {value.partition(" ")[2] for value in hidden if " " in value})
