"""Whole: modules, incidents and places as metrics, written from the board and the history at each scrape."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.module import Priority, Status
from monitor.core.overlay import spans_of, works_of
from monitor.core.selfcheck import TROUBLES
from monitor.core.statement import WINDOWS, floored
from monitor.core.uptime import uptime
from monitor.core.weights import Weights
from monitor.metrics.exposition import Family, block, encoded, labels, line

STATUS = Family("monitor_module_status", "gauge", "1 on the present status of a module, 0 on the others.")
RATIO = Family("monitor_module_up_ratio", "gauge", "Good time divided by counted time; absent when nothing counted.")
OPEN = Family("monitor_incidents_open", "gauge", "Incidents going on, by priority.")
INFO = Family("monitor_incident_info", "gauge", "1 for each incident going on, with its suspected cause.")
TROUBLE = Family("monitor_trouble", "gauge", "1 while something of our own does not work, by its code.")
BLIND = Family("monitor_blind", "gauge", "1 while a place cannot see anything at all.")
PLANNED = Family("monitor_module_maintenance", "gauge", "1 while planned work is under way on a module.")

KEPT = timedelta(seconds=60)  # how long a figure that hardly moves is not worked out again


def incidents_open(board: Board) -> list[Incident]:
    """Incidents going on, in a fixed order."""
    return sorted((one for one in board.incidents.values() if one.is_open), key=lambda one: one.key)


def status_block(board: Board, modules: Iterable[str], openmetrics: bool) -> bytes:
    """A state set in plain gauges: the text format knows no other."""
    return block(STATUS, openmetrics, [_status_lines(id, board.status(id)) for id in modules])


def maintenance_block(board: Board, modules: Iterable[str], openmetrics: bool) -> bytes:
    """Which modules planned work is under way on."""
    worked_on = board.maintained
    return block(PLANNED, openmetrics, (_planned_line(id, id in worked_on) for id in modules))


@lru_cache(maxsize=65536)
def _planned_line(module: str, under_way: bool) -> bytes:
    return encoded(line(PLANNED.name, labels([("module", module)]), float(under_way)))


@lru_cache(maxsize=65536)
def _status_lines(module: str, status: Status) -> bytes:
    lines = (line(STATUS.name, labels([("module", module), ("status", one)]), float(one is status)) for one in Status)
    return encoded("".join(lines))


@dataclass(frozen=True, slots=True)
class _Figure:
    """What was worked out for a module, from what, and until when that is close enough."""

    transitions: Sequence[Transition]
    works: Sequence[Maintenance]
    weights: Weights
    until: datetime
    text: bytes


class Ratios:
    """The figures of the page for each module. One whose past is as it was, and that is not down, is not looked at
    anew at each scrape: in a minute its figures move by less than a thousandth."""

    def __init__(self) -> None:
        self._known: dict[str, _Figure] = {}

    def lines(self, board: Board, history: History, modules: Sequence[str], now: datetime) -> list[bytes]:
        """The lines of each module."""
        works, weights = works_of(board, history), board.platform.weights
        return [self._of(id, place, history, works, weights, now) for place, id in enumerate(modules)]

    def keep(self, modules: Iterable[str]) -> None:
        """Forgets all others."""
        self._known = {id: known for id in modules if (known := self._known.get(id)) is not None}

    def _of(
        self, id: str, place: int, history: History, works: list[Maintenance], weights: Weights, now: datetime
    ) -> bytes:
        past, known = history.transitions.get(id, ()), self._known.get(id)
        same = known is not None and (known.transitions, known.works, known.weights) == (past, works, weights)
        if known is not None and same and now < known.until:
            return known.text
        is_down = bool(past) and past[-1].after is Status.DOWN
        until = now if is_down else now + KEPT * (1 + place % 7 / 7)  # not all of them in the same scrape
        text = _ratio_lines(id, history, works, weights, now)
        self._known[id] = _Figure(past, works, weights, until, text)
        return text


def _ratio_lines(id: str, history: History, works: list[Maintenance], weights: Weights, now: datetime) -> bytes:
    cut = spans_of(id, history, works, now - max(WINDOWS.values()), now, weights)
    figures = ((name, uptime(cut, now - length, now).ratio) for name, length in WINDOWS.items())
    return encoded(
        "".join(
            line(RATIO.name, labels([("module", id), ("window", name)]), floored(ratio))
            for name, ratio in figures
            if ratio is not None
        )
    )


def incidents_of(board: Board, wanted: Iterable[str]) -> list[Incident]:
    """Those going on whose root is one of the wanted modules, or none of all."""
    modules = set(wanted)
    return [one for one in incidents_open(board) if one.root in modules or one.root not in board.platform.modules]


def info_block(board: Board, wanted: Iterable[str], openmetrics: bool) -> bytes:
    """The incidents whose root is one of the wanted modules."""
    return block(
        INFO,
        openmetrics,
        (encoded(line(INFO.name, _about(one), 1.0)) for one in incidents_of(board, wanted)),
    )


def _about(incident: Incident) -> str:
    cause = incident.cause
    pairs = [
        ("incident", incident.id),
        ("module", incident.root or ""),
        ("code", cause.code),
        ("class", str(cause.cls)),
    ]
    return labels(pairs)


def general_blocks(board: Board, openmetrics: bool) -> bytes:
    """What concerns no single module."""
    going_on = [one.priority for one in incidents_open(board)]
    counted = (line(OPEN.name, labels([("priority", one.value)]), going_on.count(one)) for one in Priority)
    places = (
        line(BLIND.name, labels([("location", place)]), float(_is_blind(board, place)))
        for place in board.platform.locations
    )
    own = (line(TROUBLE.name, labels([("code", code)]), float(code in board.ailing)) for code in TROUBLES)
    parts = ((OPEN, counted), (BLIND, places), (TROUBLE, own))
    return b"".join(block(family, openmetrics, map(encoded, lines)) for family, lines in parts)


def _is_blind(board: Board, place: str) -> bool:
    vantage = board.vantages.get(place)
    return vantage is not None and vantage.blind_since is not None
