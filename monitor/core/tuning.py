"""Tuning: how long the detector waits for what."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the detector waits for. The defaults are those of `docs/judgement.md`; the demo shortens them.

    `calm`: time without a failure before a module is up again. `first_reprobe` and `reprobe`: pauses of the extra
    runs during a suspicion, `patience` their end. `down_interval`: how often a module that is down is asked.
    `reopen`: a failure this soon after an incident was resolved belongs to it. `span_single` and `span_quorum`: least
    time from first to last failure with one failure domain and with several.
    """

    calm: timedelta = timedelta(seconds=60)
    first_reprobe: timedelta = timedelta(seconds=0.3)
    reprobe: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(seconds=90)
    down_interval: timedelta = timedelta(seconds=10)
    reopen: timedelta = timedelta(minutes=10)
    span_single: timedelta = timedelta(seconds=60)
    span_quorum: timedelta = timedelta(seconds=15)
    recovery_streak: int = 3
    stale_intervals: int = 3
