"""Report plots: drawn here, so that paper and readers without script have them; colours come from the style sheet."""

from dataclasses import dataclass

from monitor.core.report import Report
from monitor.core.wording import N_
from monitor.pages.bars import Bars, Spot, describe, draw
from monitor.pages.lens import Lens

WIDTH, HEIGHT = 720, 170
LEFT, RIGHT, TOP, FOOT = 64, 8, 12, 24  # px around what is drawn
STEPS = (60, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 432000, 864000, 2592000)  # seconds between lines
LINES = 4  # at most
ROOM = 32  # px that half a day's name takes


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars over days: `bars` are x, y, width and height; `lines` y and what they mean; `ticks` x and the day. `told`
    says what it shows."""

    width: int
    height: int
    left: int
    right: int
    base: float
    bars: tuple[tuple[float, float, float, float, str], ...]
    lines: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    told: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The days of one thing, drawn as on the home page."""

    name: str
    bars: Bars
    told: str
    spots: tuple[Spot, ...] = ()


def losses(lens: Lens, one: Report) -> Plot | None:
    """How long something was down on each day, all components together; None where days are not told."""
    if not one.days:
        return None
    columns = list(zip(*one.days.values(), strict=True))
    lost = [(parts[0].date, sum(day.down_seconds for day in parts)) for parts in columns]
    most = max(seconds for _, seconds in lost)
    step = next((one for one in STEPS if most <= one * LINES), STEPS[-1])
    top = max(step, -(-most // step) * step)
    inside, wide = HEIGHT - TOP - FOOT, (WIDTH - LEFT - RIGHT) / len(lost)
    base = HEIGHT - FOOT
    bars = tuple(
        (
            round(LEFT + index * wide + wide * 0.15, 1),
            round(base - inside * seconds / top, 1),
            round(wide * 0.7, 1),
            round(inside * seconds / top, 1),
            f"{lens.speech.short_day(lens.language, day)}: {lens.speech.duration(lens.language, seconds)}",
        )
        for index, (day, seconds) in enumerate(lost)
        if seconds
    )
    lines = tuple(
        (round(base - inside * at * step / top, 1), lens.speech.duration(lens.language, at * step) if at else "0")
        for at in range(int(top // step) + 1)
    )
    every = max(1, len(lost) // 8)
    ticks = tuple(
        (round(LEFT + index * wide + wide / 2, 1), lens.speech.short_day(lens.language, day))
        for index, (day, _) in enumerate(lost)
        if index % every == 0 and LEFT + (index + 0.5) * wide < WIDTH - ROOM
    )
    return Plot(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, base, bars, lines, ticks, _told(lens, most, lost))


def _told(lens: Lens, most: float, lost: list[tuple[object, float]]) -> str:
    if not most:
        return lens.word(N_("Nothing was down on any day."))
    struck = sum(1 for _, seconds in lost if seconds)
    return lens.word(
        N_("Something was down on {days}, for {most} at most, all components together."),
        days=lens.counted("{count} day", "{count} days", struck),
        most=lens.speech.duration(lens.language, most),
    )


def strips(lens: Lens, one: Report) -> tuple[Strip, ...]:
    """The days of every component, or of every module where there are none."""
    found = []
    for id, days in one.days.items():
        component = lens.facts.platform.components.get(id)
        name = lens.text(component.name) if component else lens.module_name(id)
        found.append(Strip(name, draw(days), describe(days, lens.speech, lens.language)))
    return tuple(found)
