"""Bars: the days of a component as one small drawing, and the sentence that says the same to those who cannot see it.

A run of equal days is one dashed line, so ninety good days cost as many bytes as one. Worse days stand taller, days
without data are stubs: the shape speaks before the colour does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from monitor.core.module import Status
from monitor.core.uptime import Day
from monitor.core.wording import N_
from monitor.pages.translate import Speech

STEP = 5  # units from one bar to the next; the theme draws dashes of 3.4 and gaps of 1.6
HEIGHT = 32
KINDS = {Status.UP: "ok", Status.DEGRADED: "slow", Status.DOWN: "down", Status.UNKNOWN: "none"}
TALL = {"ok": 20, "slow": 26, "down": 32, "none": 4}  # the theme's stroke widths
FINGER = 9  # bars that a fingertip covers: 30 px where 90 of them are 300 px wide
TOLD = 5  # days with trouble that the text names one by one


@dataclass(frozen=True, slots=True)
class Bars:
    """Lines to draw, by kind of day; `width` and `height` are the drawing's own units."""

    width: int
    height: int
    paths: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A stretch of the drawing with trouble in it: `told` says which days and how long, `date` is the worst of them."""

    left: int
    width: int
    date: str
    told: str


def draw(days: Sequence[Day]) -> Bars:
    """One path for each kind of day that occurs."""
    paths: dict[str, str] = {}
    for status, run in groupby(enumerate(days), key=lambda pair: pair[1].status):
        kind = KINDS[status]
        indexes = [index for index, _ in run]
        middle = HEIGHT - TALL[kind] // 2
        paths[kind] = paths.get(kind, "") + f"M{indexes[0] * STEP} {middle}h{len(indexes) * STEP}"
    return Bars(len(days) * STEP, HEIGHT, tuple(paths.items()))


def spots(days: Sequence[Day], speech: Speech, language: str) -> tuple[Spot, ...]:
    """Where there was trouble, in steps of a fingertip, so that each can be hit on a narrow screen."""
    bad = [(index, day) for index, day in enumerate(days) if day.status in (Status.DOWN, Status.DEGRADED)]
    found = []
    for step, run in groupby(bad, key=lambda pair: pair[0] // FINGER):
        struck = [day for _, day in run]
        worst = max(struck, key=lambda day: (day.down_seconds, day.degraded_seconds, day.date))
        told = "; ".join(_told(day, speech, language) for day in struck)
        found.append(Spot(step * FINGER * STEP, FINGER * STEP, worst.date.isoformat(), told))
    return tuple(found)


def describe(days: Sequence[Day], speech: Speech, language: str) -> str:
    """The drawing in words: `89 days good; 12 May: 31 min down`."""

    def counted(singular: str, plural: str, count: int) -> str:
        return speech.counted(language, singular, plural, count)

    good = sum(day.status is Status.UP for day in days)
    dark = sum(day.status is Status.UNKNOWN for day in days)
    bad = [day for day in days if day.status in (Status.DOWN, Status.DEGRADED)]
    parts = [counted("{count} day good", "{count} days good", good)] if good else []
    parts += [_told(day, speech, language) for day in bad[-TOLD:]]
    if len(bad) > TOLD:
        parts.append(counted("{count} more day with trouble", "{count} more days with trouble", len(bad) - TOLD))
    if dark:
        parts.append(counted("{count} day without data", "{count} days without data", dark))
    return "; ".join(parts)


def _told(day: Day, speech: Speech, language: str) -> str:
    return f"{speech.short_day(language, day.date)}: {trouble(day, speech, language)}"


def trouble(day: Day, speech: Speech, language: str) -> str:
    """How long a day was not well: `31 min down, 5 min degraded`; empty when it was."""
    told = []
    for seconds, message in ((day.down_seconds, N_("{duration} down")), (day.degraded_seconds, N_("{duration} slow"))):
        if seconds:
            length = speech.duration(language, seconds)
            told.append(speech.gettext(language, message).replace("{duration}", length))
    return ", ".join(told)
