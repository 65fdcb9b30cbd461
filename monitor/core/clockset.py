"""Clockset: what follows when the clock of this machine was set.

What is counted from a moment on, such as how long something fails, when the next step of a chain comes or how long
somebody's word holds, moves with the clock: ten minutes stay ten minutes, and what broke first stays first. What is
named by the clock on the wall, hours and planned work, stays where it is.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from monitor.core import herald
from monitor.core.board import Board
from monitor.core.effect import Effect, Hushed, Remember, Saved, Settled
from monitor.core.track import is_notable

T = TypeVar("T")
AHEAD = timedelta(seconds=5)  # what was remembered from later than this was dated by another clock


def reset(board: Board, by: timedelta, now: datetime) -> tuple[Board, list[Effect]]:
    """The board by the clock that was set by so much and says `now`, with what to store of it."""
    if not by:
        return board, []
    probes, modules = moved(board.probes, by), moved(board.modules, by)
    tracks = moved(board.tracks, by)
    incidents = moved(board.incidents, by)
    silences = {id: one if one.ended_at else moved(one, by) for id, one in board.silences.items()}
    found: list[Effect] = [
        *(Remember(*key, track) for key, track in tracks.items() if is_notable(track)),
        *(Settled(*key, condition) for key, condition in probes.items()),
        *(Settled(id, None, condition) for id, condition in modules.items()),
        *(Saved(one, None, now) for one in incidents.values()),
        *(Hushed(one, None) for one in silences.values() if one.ended_at is None),
    ]
    board = replace(
        board,
        tracks=tracks,
        probes=probes,
        modules=modules,
        incidents=incidents,
        silences=silences,
        vantages={place: replace(moved(one, by), clocks={}) for place, one in board.vantages.items()},
        versions=moved(board.versions, by),
        calls=moved(board.calls, by),
        regional=moved(board.regional, by),
        pages={key: replace(page, at=page.at + by) for key, page in board.pages.items()},
        held=moved(board.held, by),
        ailing=moved(board.ailing, by),
        budget=moved(board.budget, by),
        began_at=moved(board.began_at, by),
        stale_at=None,
    )
    board, told = herald.shifted(board, by, now)
    return board, [*found, *told]


def set_back_meanwhile(board: Board, now: datetime) -> timedelta:
    """By how much the clock was set back while the monitor did not run: failures it remembers lie ahead. Else 0."""
    tracks = [board.tracks[key] for key in board.restless]
    seen = (at for one in tracks for at in (one.last_bad_at, one.last_slow_at, one.last_blocked_at))
    newest = max(filter(None, seen), default=now)
    return now - newest if newest - now > AHEAD else timedelta(0)


def moved(value: T, by: timedelta) -> T:
    """The same with every moment in it later by so much."""
    return _any(value, by)  # type: ignore[no-any-return]


def _any(value: Any, by: timedelta) -> Any:
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, Enum | str):
        return value
    if isinstance(value, Mapping):
        return {key: _any(each, by) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_any(each, by) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: _any(getattr(value, one.name), by) for one in fields(value)}
        return replace(value, **changed)
    return value
