"""Whole: modules, incidents and places as metrics, written from the board and the history at each scrape."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.module import Priority, Status
from monitor.core.overlay import spans_of, works_of
from monitor.core.statement import WINDOWS, floored
from monitor.core.uptime import uptime
from monitor.metrics.exposition import Family, block, labels, line

STATUS = Family("monitor_module_status", "gauge", "1 on the present status of a module, 0 on the others.")
RATIO = Family("monitor_module_up_ratio", "gauge", "Good time divided by counted time; absent when nothing counted.")
OPEN = Family("monitor_incidents_open", "gauge", "Incidents going on, by priority.")
INFO = Family("monitor_incident_info", "gauge", "1 for each incident going on, with its suspected cause.")
BLIND = Family("monitor_blind", "gauge", "1 while a place cannot see anything at all.")
PLANNED = Family("monitor_module_maintenance", "gauge", "1 while planned work is under way on a module.")
ALL = (STATUS, PLANNED, RATIO, OPEN, INFO, BLIND)


def incidents_open(board: Board) -> list[Incident]:
    """Incidents going on, in a fixed order."""
    return sorted((one for one in board.incidents.values() if one.is_open), key=lambda one: one.key)


def status_block(board: Board, modules: Iterable[str], openmetrics: bool) -> str:
    """A state set in plain gauges: the text format knows no other."""
    return block(STATUS, openmetrics, [_status_lines(id, board.status(id)) for id in modules])


def maintenance_block(board: Board, modules: Iterable[str], openmetrics: bool) -> str:
    """Which modules planned work is under way on."""
    worked_on = board.maintained
    lines = (line(PLANNED.name, labels([("module", id)]), float(id in worked_on)) for id in modules)
    return block(PLANNED, openmetrics, lines)


@lru_cache(maxsize=65536)
def _status_lines(module: str, status: Status) -> str:
    return "".join(
        line(STATUS.name, labels([("module", module), ("status", one.value)]), float(one is status)) for one in Status
    )


def ratios(board: Board, history: History, modules: Iterable[str], now: datetime) -> dict[str, str]:
    """The lines of each module; the figures are those of the page."""
    longest, works = max(WINDOWS.values()), works_of(board, history)
    found = {}
    for id in modules:
        cut = spans_of(id, history, works, now - longest, now, board.platform.weights)
        figures = ((name, uptime(cut, now - length, now).ratio) for name, length in WINDOWS.items())
        found[id] = "".join(
            line(RATIO.name, labels([("module", id), ("window", name)]), floored(ratio))
            for name, ratio in figures
            if ratio is not None
        )
    return found


def info_block(board: Board, wanted: Iterable[str], openmetrics: bool) -> str:
    """The incidents whose root is one of the wanted modules."""
    modules = set(wanted)
    return block(
        INFO,
        openmetrics,
        (
            line(
                INFO.name,
                labels(
                    [
                        ("incident", one.id),
                        ("module", one.root or ""),
                        ("code", one.cause.code),
                        ("class", str(one.cause.cls)),
                    ]
                ),
                1.0,
            )
            for one in incidents_open(board)
            if one.root in modules or one.root not in board.platform.modules
        ),
    )


def general_blocks(board: Board, openmetrics: bool) -> str:
    """What concerns no single module."""
    going_on = [one.priority for one in incidents_open(board)]
    counted = (line(OPEN.name, labels([("priority", one.value)]), going_on.count(one)) for one in Priority)
    places = (
        line(BLIND.name, labels([("location", place)]), float(_is_blind(board, place)))
        for place in board.platform.locations
    )
    return block(OPEN, openmetrics, counted) + block(BLIND, openmetrics, places)


def _is_blind(board: Board, place: str) -> bool:
    vantage = board.vantages.get(place)
    return vantage is not None and vantage.blind_since is not None
