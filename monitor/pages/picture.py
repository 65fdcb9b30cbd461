"""Picture: everything one publication is made from. One picture, one publication, so no two files can disagree."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from monitor.core.availability import Subject, parts
from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.module import FAILING, Status
from monitor.core.overlay import works_of
from monitor.core.publishing import public, withheld
from monitor.core.report import Report
from monitor.core.rollup import ComponentStatus, active_impacts, component_status, top_level
from monitor.core.selfcheck import self_check
from monitor.core.site import Site
from monitor.core.statement import WINDOWS, incidents_of, seen_from
from monitor.core.uptime import END, Day, Span, Uptime, days, figure, merge, spans, stays, together, weighed, without
from monitor.core.weights import Weights
from monitor.pages.beat import TURN, beat_of, soon_of, told_at
from monitor.pages.cells import Cells, cell, given, given_by
from monitor.pages.found import Found, Source

DAYS = 90
K = TypeVar("K")
Place = tuple[str, str, str]  # module, probe and location of a track
MOVED = {"tracks", "restless", "gone", "versions", "calls", "stale_at", "budget", "latency"}  # by runs that are no news
STANDING = tuple(one.name for one in fields(Board) if one.name not in MOVED)


@dataclass(frozen=True)
class Picture:
    """What readers may know; a draft never gets into one. `data_until` is the end of the newest observation, None
    before the first one; `withheld` are the modules that fail now and whose incident is a draft. `before` is what was
    found for the publication before: what did not change is not worked out again. `reports` are public, the newest
    first."""

    site: Site
    board: Board
    history: History
    now: datetime
    data_until: datetime | None = None
    withheld: frozenset[str] = frozenset()
    reports: tuple[Report, ...] = ()
    before: Found | None = field(default=None, compare=False, repr=False)

    name = "picture"

    def __post_init__(self) -> None:
        """Leaves out what is not public, whoever takes the picture."""
        board, history = public(self.board, self.history)
        object.__setattr__(self, "withheld", self.withheld | withheld(self.board))
        object.__setattr__(self, "board", board)
        object.__setattr__(self, "history", history)

    @cached_property
    def works(self) -> list[Maintenance]:
        """Planned work that is to come, under way, or was over within the time shown; the first planned first."""
        return works_of(self.board, self.history)

    @cached_property
    def known(self) -> dict[str, Incident]:
        """Every incident by id, the newest first; what the board knows is newer than what was stored."""
        seen: Seen | None = self.before.seen if self.before is not None else None
        if seen is not None and (seen.board.incidents, seen.history.incidents) == (
            self.board.incidents,
            self.history.incidents,
        ):
            return seen.known
        every = {one.id: one for one in self.history.incidents} | dict(self.board.incidents)
        return dict(sorted(every.items(), key=lambda pair: (pair[1].started_at, pair[0]), reverse=True))

    @cached_property
    def known_open(self) -> list[Incident]:
        """Those that are open."""
        return [one for one in self.known.values() if one.is_open]

    @cached_property
    def known_of_modules(self) -> dict[str, tuple[Incident, ...]]:
        """Those a module is or was a member of."""
        return _by((one, [member.module for member in one.members]) for one in self.known.values())

    @cached_property
    def roles(self) -> dict[str, dict[str, str]]:
        """The roles of the members of each open incident, by its id."""
        return {one.id: {m.module: m.role for m in one.members} for one in self.known_open}

    @cached_property
    def known_of_components(self) -> dict[str, tuple[Incident, ...]]:
        """Those a component is or was touched by."""
        return _by((one, one.components) for one in self.known.values())

    @cached_property
    def cells(self) -> Cells:
        """What is worked out from this picture."""
        before = self.before
        if before is not None and before.seen is not None and before.seen.board.platform is not self.board.platform:
            before = None
        cells = Cells(before, self.now, self._changes)
        cells.belong_to(self)
        return cells

    def _changes(self, seen: "Seen | None") -> tuple[Iterable[Source], "Seen"]:
        now = Seen(self.board, self.history, self.works, self.known)
        return (() if seen is None else changes(seen, now)), now

    # --- the past of a module and of a component

    @given
    def midnight(self) -> datetime:
        """When the present day of the site's zone began."""
        zone = ZoneInfo(self.site.timezone)
        today = self.now.astimezone(zone).date()
        return datetime(today.year, today.month, today.day, tzinfo=zone).astimezone(UTC)

    @given_by("moves")
    def moves_of(self, module: str) -> tuple[Transition, ...]:
        """Its changes of status, in order of decision."""
        return self.history.transitions.get(module, ())

    @given
    def _weights(self) -> Weights:
        return self.board.platform.weights

    @given_by("works")
    def _excluded(self, module: str) -> tuple[tuple[datetime, datetime], ...]:
        """Stretches of planned work on it; what is under way has no end."""
        return tuple(stretch for one in self._begun for stretch in one.excluded(module, END))

    @cached_property
    def _begun(self) -> list[Maintenance]:
        return [one for one in self.works if one.started_at is not None]

    @cell
    def spans_of(self, module: str) -> list[Span]:
        """What a module's status was over the last 90 days and a bit, so that whole days fit in, with planned work cut
        out. What it is now has no end."""
        cut = spans(self.moves_of(module), self.midnight() - timedelta(days=DAYS + 1), END)
        cut = weighed(cut, self._weights())
        excluded = self._excluded(module)
        return without(cut, excluded) if excluded else cut

    @cell
    def spans_of_component(self, component: str) -> list[Span]:
        """The same for a component: the worst known status of its modules at each moment."""
        return merge([self.spans_of(module) for module in self._made_of(component)], self._weights())

    @cell
    def moves_of_component(self, component: str) -> tuple[datetime | None, ComponentStatus | None, datetime | None]:
        """What its stored changes come to: since when anything is known of it, its status, and when that began."""
        made_of = self.board.platform.components[component]
        moves = sorted(
            (move for id in self._made_of(component) for move in self.moves_of(id)), key=lambda move: move.at
        )
        statuses: dict[str, Status] = {}
        before, changed = None, None
        for move in moves:
            statuses[move.module] = move.after
            status = component_status(made_of, statuses)
            if status is not None and status is not before:
                before, changed = status, move.at
        return min((move.since for move in moves), default=None), before, changed

    @cell
    def _made_of(self, component: str) -> tuple[str, ...]:
        return self.board.platform.components[component].modules

    @cell
    def uptimes_of(self, module: str) -> dict[str, Uptime]:
        """A module's figures by window."""
        return self._uptimes([self.spans_of(module)], module)

    @cell
    def uptimes_of_component(self, component: str) -> dict[str, Uptime]:
        """A component's figures by window."""
        return self._uptimes([self.spans_of_component(component)], next(iter(self._made_of(component)), ""))

    @cell
    def uptimes_together(self, subject: Subject) -> dict[str, Uptime]:
        """The figures of a group or of the whole platform by window."""
        line = self.spans_of_component if self.board.platform.components else self.spans_of
        return self._uptimes([line(id) for id in parts(self.board.platform, subject)], "")

    def _uptimes(self, cuts: list[list[Span]], turn: str) -> dict[str, Uptime]:
        until, due = self._told_until(cuts, turn)
        for length in WINDOWS.values():
            stay = min((stays(cut, until - length, until) for cut in cuts), default=timedelta(1))
            self.cells.stands_until(max(until + stay, due))
        return {name: figure(together(cuts, until - length, until)) for name, length in WINDOWS.items()}

    def _told_until(self, cuts: list[list[Span]], turn: str) -> tuple[datetime, datetime]:
        """Where the windows of figures end, and until when that holds: at the last turn of this module, as long as
        nothing fails nor changed since; else now, and while very many fail at its last turn or change."""
        count = len(self.board.platform.modules) if turn else 1
        soon = soon_of(count)
        for beat in dict.fromkeys((beat_of(count), soon)):
            then = told_at(turn, beat, self.now)
            if all(_is_quiet(cut, then) for cut in cuts):
                return then, then + beat
        if count > TURN and self._is_crowded():
            newest = max((cut[-1].since for cut in cuts if cut), default=then)
            return min(self.now, max(then, newest)), then + soon
        return self.now, self.now

    @given
    def _is_crowded(self) -> bool:
        """Whether so many fail or have just changed that no publication could tell of all of them."""
        lately = self.now - soon_of(len(self.board.platform.modules))
        moved = (one.status in FAILING or one.since > lately for one in self.board.modules.values())
        return sum(moved) > TURN

    @cell
    def days_of(self, module: str) -> tuple[Day, ...]:
        """A module's last 90 days in the site's zone, the oldest first, today last."""
        return (*self._past_days(module), *self._today(self.spans_of(module), module))

    @cell
    def days_of_component(self, component: str) -> tuple[Day, ...]:
        """The same for a component."""
        today = self._today(self.spans_of_component(component), next(iter(self._made_of(component)), ""))
        return (*self.past_days_of_component(component), *today)

    @cell
    def _past_days(self, module: str) -> tuple[Day, ...]:
        return self._days_before(self.midnight(), self._past_spans(module))

    @cell
    def _past_spans(self, module: str) -> list[Span]:
        """The spans of a module before today, which stay as they are whatever it does today."""
        return _before(self.spans_of(module), self.midnight())

    @cell
    def past_days_of_component(self, component: str) -> tuple[Day, ...]:
        """Those of a component without today, which stay as they are."""
        return self._days_before(self.midnight(), self._past_spans_of_component(component))

    @cell
    def _past_spans_of_component(self, component: str) -> list[Span]:
        return _before(self.spans_of_component(component), self.midnight())

    def _days_before(self, midnight: datetime, cut: list[Span]) -> tuple[Day, ...]:
        return tuple(days(cut, midnight, DAYS, ZoneInfo(self.site.timezone))[:-1])

    def _today(self, cut: list[Span], turn: str) -> list[Day]:
        last, midnight = cut[-1] if cut else None, self.midnight()  # a new day has another one
        if last is not None and last.status is Status.UP and last.since <= midnight < self.now:
            until, due = self.now, END
        else:
            until, due = self._told_until([cut], turn)
            if until <= midnight:
                until = due = self.now
        self.cells.stands_until(due)
        return days(cut, until, 1, ZoneInfo(self.site.timezone))

    def local(self, at: datetime) -> date:
        """The calendar day of a moment in the site's zone."""
        return at.astimezone(ZoneInfo(self.site.timezone)).date()

    # --- now

    def locations_of(self, module: str) -> dict[str, Status]:
        """What each place sees of a module, the worst of the probes that decide; unknown where no run tells."""
        return seen_from(self.board, module)

    @given_by("standing")
    def components(self) -> Mapping[str, ComponentStatus | None]:
        """What a visitor feels, by component in page order; None where nothing is known."""
        return self._felt({module: condition.status for module, condition in self.board.modules.items()})

    @given_by("standing")
    def confirmed(self) -> dict[str, Status]:
        """The status of every module that has one. While the monitor is blind the last one it was sure of stands."""
        statuses = {id: condition.status for id, condition in self.board.modules.items()}
        if self._sight()[0] == "blind":
            for id, moves in self.history.transitions.items():
                if id in self.board.platform.modules and statuses.get(id, Status.UNKNOWN) is Status.UNKNOWN:
                    known = [move.after for move in moves if move.after is not Status.UNKNOWN]
                    if known:
                        statuses[id] = known[-1]
        return statuses

    @given_by("standing")
    def last_known(self) -> dict[str, ComponentStatus]:
        """The components of which something is known, in page order; while the monitor is blind, or was once."""
        return {id: status for id, status in self._felt(self.confirmed()).items() if status is not None}

    def _felt(self, statuses: Mapping[str, Status]) -> dict[str, ComponentStatus | None]:
        planned = self.board.planned
        return {id: component_status(one, statuses, planned) for id, one in self.board.platform.components.items()}

    @given_by("standing")
    def overall(self) -> tuple[str, str]:
        """(indicator, description), while the monitor is blind the last; `unknown` while nothing was ever known."""
        known = list(self.last_known().values())
        impacts = active_impacts(incidents_of(self.board, self.history))
        return top_level(known, impacts) if known or impacts else ("unknown", "Status Unknown")

    @given
    def monitor(self) -> tuple[str, datetime | None, str | None]:
        """How well the monitor itself sees: `ok`, `degraded` or `blind`, since when, and by what code."""
        return self._sight()

    def _sight(self) -> tuple[str, datetime | None, str | None]:
        gap = next((gap for gap in self.history.gaps if gap.until is None), None)
        return self_check(self.board, gap.code if gap else None)


def _is_quiet(cut: list[Span], since: datetime) -> bool:
    """Whether nothing fails, nor anything changed since then."""
    if not cut or cut[-1].until <= since:
        return True
    return cut[-1].since <= since and cut[-1].status not in FAILING


def _before(cut: list[Span], moment: datetime) -> list[Span]:
    """The spans up to a moment."""
    return [one if one.until <= moment else replace(one, until=moment) for one in cut if one.since < moment]


class Seen(NamedTuple):
    """What a publication was made from."""

    board: Board
    history: History
    works: list[Maintenance]
    known: dict[str, Incident]  # the newest first


def changes(before: Seen, now: Seen) -> Iterator[Source]:
    """The aspects of modules that are others than before, and `module` for any of them but its changes of status;
    `standing` of the whole where more has happened than runs. What is the same object has not changed."""
    board, old = now.board, before.board
    if _standing(before) != _standing(now) or old.tracks.keys() != board.tracks.keys():
        yield "standing", ""
        yield from _told_otherwise(before.known, now.known)
    for id in _others(before.history.transitions, now.history.transitions):
        yield "moves", id
    works = board.platform.modules if before.works != now.works else ()
    found = {
        "latency": _others(before.history.latency, now.history.latency),
        "settled": _others(old.modules, board.modules),
        "seen": {key[0]: None for key in _others(old.tracks, board.tracks) if _seen_otherwise(key, old, board)},
        "version": {key[0]: None for key in _others(old.versions, board.versions)},
        "works": works,
    }
    for aspect, ids in found.items():
        yield from ((aspect, id) for id in ids)
    yield from (("module", id) for id in {id: None for ids in found.values() for id in ids})


def only_runs(before: Board, now: Board) -> bool:
    """Whether nothing has happened between two boards but runs that are no news."""
    return all(getattr(before, name) is getattr(now, name) for name in STANDING)


def _standing(seen: Seen) -> list[object]:
    """All but what runs move."""
    board, history = seen.board, seen.history
    return [
        *(getattr(board, name) for name in STANDING),
        *(getattr(history, one.name) for one in fields(History) if one.name not in MOVED),
    ]


def _by(pairs: Iterable[tuple[Incident, Iterable[str]]]) -> dict[str, tuple[Incident, ...]]:
    found: dict[str, list[Incident]] = {}
    for one, ids in pairs:
        for id in dict.fromkeys(ids):
            found.setdefault(id, []).append(one)
    return {id: tuple(ones) for id, ones in found.items()}


def _told_otherwise(before: Mapping[str, Incident], now: Mapping[str, Incident]) -> Iterator[Source]:
    """Each `incident` of which something else is told, the modules `struck` by it, the components `touched`."""
    for id in _others(before, now):
        yield "incident", id
        for one in filter(None, (before.get(id), now.get(id))):
            yield from (("struck", member.module) for member in one.members)
            yield from (("touched", component) for component in one.components)


def _others(old: Mapping[K, object], new: Mapping[K, object]) -> list[K]:
    """The keys under which something else stands now."""
    if old is new:
        return []
    found = [key for key, one in new.items() if old.get(key) is not one]
    return found if len(old) == len(new) and not found else found + [key for key in old if key not in new]


def _seen_otherwise(key: Place, before: Board, now: Board) -> bool:
    """Whether a place saw something else of a probe last."""
    old, new = before.tracks.get(key), now.tracks.get(key)
    return old is None or new is None or (old.last is not new.last and old.last != new.last)
