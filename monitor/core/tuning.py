"""Tuning: how long the detector waits for what."""

from dataclasses import dataclass
from datetime import timedelta

from monitor.core.probe import Probe

# From the simulation of docs/judgement.md: so many wrong alarms a year at least, so many seconds of span.
SPANS = ((0.1, 10.0), (0.04, 15.0))
LONGEST_SPAN = 25.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the detector waits for. The defaults are those of `docs/judgement.md`; the demo shortens them.

    `calm`: time without a failure before a module is up again. `first_reprobe` and `reprobe`: pauses of the extra
    runs during a suspicion, `patience` their end. `down_interval`: how often a module that is down is asked.
    `flow_pause`: least time between two extra runs of a flow at one place, each of which leaves a cart behind.
    `reopen`: a failure this soon after an incident was resolved belongs to it. `span_single` and `span_quorum`: least
    time from first to last failure with one failure domain and with several.
    """

    calm: timedelta = timedelta(seconds=60)
    first_reprobe: timedelta = timedelta(seconds=0.3)
    reprobe: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(seconds=90)
    down_interval: timedelta = timedelta(seconds=10)
    flow_pause: timedelta = timedelta(minutes=1)
    reopen: timedelta = timedelta(minutes=10)
    span_single: timedelta = timedelta(seconds=60)
    span_quorum: timedelta = timedelta(seconds=15)
    recovery_streak: int = 3
    stale_intervals: int = 3

    def fresh_for(self, probe: Probe) -> timedelta:
        """How long a run of a probe speaks of the present."""
        return self.stale_intervals * probe.interval + probe.timeout

    @classmethod
    def tolerating(cls, alarms: float) -> "Tuning":
        """The tuning for a tolerated number of wrong alarms that one module may cause in a year: what a person can
        state, turned into the span of time in which a hiccup may pass. One failure domain waits four times as long.
        """
        seconds = next((span for least, span in SPANS if alarms >= least), LONGEST_SPAN)
        return cls(span_quorum=timedelta(seconds=seconds), span_single=timedelta(seconds=4 * seconds))
