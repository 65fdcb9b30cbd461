"""Plotted: what of a module may be plotted, and what happened meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.announcement import work_title
from monitor.core.board import Board, Version
from monitor.core.effect import Refusal
from monitor.core.heartbeat import HEARTBEAT
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.overlay import works_of
from monitor.core.probe import Role
from monitor.core.series import WINDOWS, Column, Grid, Window
from monitor.core.statement import incidents_of
from monitor.core.wording import Sentence, title

USUAL = "24h"  # the window that is shown when none is asked for


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be plotted: of a module the runs of `asked` probes, from `location` or, when None, from every one of
    `places`. `probe` is the one that was chosen, None: those that decide. `probes` are all that may be chosen.
    `interval` is the shortest of those asked."""

    module: str
    window: Window
    probe: str | None
    location: str | None
    probes: tuple[str, ...]
    places: tuple[str, ...]
    asked: tuple[str, ...]
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Series:
    """A module over a window. `all` is what was chosen, `by_place` the same from each place, whichever was chosen.
    `versions` are those that took the place of another within the window."""

    chosen: Choice
    grid: Grid
    all: Column
    by_place: Mapping[str, Column]
    versions: tuple[Version, ...] = ()


def choice(
    platform: Platform, module: str, window: str = USUAL, probe: str | None = None, location: str | None = None
) -> Choice | Refusal:
    """What somebody means, or why it cannot be shown."""
    found = platform.modules.get(module)
    if found is None:
        return Refusal("unknown", f"there is no module `{module[:40]}`")
    if window not in WINDOWS:
        return Refusal("wrong", f"`window` is one of {', '.join(WINDOWS)}")
    timed = [one for one in found.probes if not one.steps and one.kind != HEARTBEAT]
    deciding = [one for one in timed if one.off is None and one.role is Role.VERDICT] or timed
    asked = deciding if probe is None else [one for one in timed if one.id == probe]
    if probe is not None and not asked:
        return Refusal("wrong", _one_of("probe", [one.id for one in timed]))
    places = tuple(dict.fromkeys(place for one in asked for place in one.locations))
    if location is not None and location not in places:
        return Refusal("wrong", _one_of("location", places))
    return Choice(
        module=module,
        window=WINDOWS[window],
        probe=probe,
        location=location,
        probes=tuple(one.id for one in timed),
        places=places,
        asked=tuple(one.id for one in asked),
        interval=min((one.interval for one in asked), default=timedelta(0)),
    )


def _one_of(name: str, known: Iterable[str]) -> str:
    names = ", ".join(known)
    return f"`{name}` is one of {names}" if names else f"there is no {name} to choose: nothing is timed here"


# -- what happened ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on the axis of time. `kind` is `incident`, `maintenance` or `version`; `until` None: it goes on, or it
    is a moment. `id` is empty for a version."""

    kind: str
    id: str
    since: datetime
    until: datetime | None
    title: Sentence


def happenings(module: str, board: Board, history: History, versions: Iterable[Version], grid: Grid) -> list[Happening]:
    """What happened to a module within a grid, in order of time."""
    found = [
        *_incidents(module, board, history),
        *_works(module, board, history),
        *_changes(versions),
    ]
    within = (one for one in found if one.since < grid.until and _end(one, grid) > grid.since)
    return sorted(within, key=lambda one: (one.since, one.kind, one.id))


def _end(one: Happening, grid: Grid) -> datetime:
    if one.until is not None:
        return one.until
    return one.since + timedelta(microseconds=1) if one.kind == "version" else grid.until


def _changes(versions: Iterable[Version]) -> Iterable[Happening]:
    """Each change once, however many probes saw it."""
    seen: set[tuple[str, str]] = set()
    for one in versions:
        names = {"before": one.before or "", "now": one.name}
        if (one.before or "", one.name) not in seen:
            seen.add((one.before or "", one.name))
            yield Happening("version", "", one.since, None, Sentence("{before} → {now}", names))


def _incidents(module: str, board: Board, history: History) -> Iterable[Happening]:
    for one in incidents_of(board, history):
        member = one.member(module)
        if member is not None:
            yield Happening(
                "incident", one.id, member.since, member.until or one.resolved_at, title(one, board.platform)
            )


def _works(module: str, board: Board, history: History) -> Iterable[Happening]:
    for one in works_of(board, history):
        if one.concerns(module) and one.started_at is not None:
            yield Happening("maintenance", one.id, one.started_at, one.ended_at, work_title(one))
