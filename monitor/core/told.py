"""Told: who has heard what of an incident, and what is to be told of it when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from monitor.core.observation import moment, stamp

AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be told at a moment: `kind` escalated, reminder, cause_changed, lowered, resolved, waiting for
    hours, silence_ended, work_ended or clock.

    `unless`: not once a person said mine; `every` is how often a route wants its reminder. It comes in the calendars
    of `hours` only; in that of `office` unless it is urgent. `fixed`: its moment is one of the clock on the wall, such
    as when hours open; any other comes after a while, whatever that clock is set to. `what` is which part of which
    limit has passed then, of those of kind clock; of a step AGAIN, where it is for channels that heard of it before.
    """

    at: datetime
    kind: str
    channels: tuple[str, ...] = ()
    unless: bool = False
    every: timedelta | None = None
    hours: tuple[str, ...] = ()
    office: str | None = None
    fixed: bool = False
    what: str = ""


class Quiet(NamedTuple):
    """Until when nobody is to hear of an incident, and why: `silenced:ID` or `maintenance:ID`."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of an incident: how many events it had, who heard of it and waits for its end, which routes it has
    begun, what comes when, the cause that was named last, when a person last said mine, and which parts of which limits
    were told to have passed."""

    seq: int = 0
    channels: tuple[str, ...] = ()
    begun: frozenset[str] = frozenset()
    turns: tuple[Turn, ...] = ()
    cause: str = ""
    mine_at: datetime | None = None
    clocks: tuple[str, ...] = ()

    @property
    def due_at(self) -> datetime | None:
        """When the next turn comes."""
        return min((one.at for one in self.turns), default=None)

    def has(self, kind: str) -> bool:
        """Whether a turn of this kind is to come."""
        return any(one.kind == kind for one in self.turns)

    def without(self, *gone: Turn) -> "Told":
        """The same without these turns."""
        return replace(self, turns=tuple(one for one in self.turns if not any(one is other for other in gone)))

    def forgotten(self) -> "Told":
        """The same after its end: nobody has heard of it, and nothing comes any more."""
        return Told(self.seq, clocks=self.clocks)

    def and_then(self, *turns: Turn) -> "Told":
        """The same with more turns to come."""
        return replace(self, turns=(*self.turns, *turns))


def moved(told: Told, by: timedelta, now: datetime) -> Told:
    """By a clock that was set: what was to come in ten minutes still comes in ten minutes, and what waits for the
    clock on the wall is looked at anew."""
    turns = tuple(replace(one, at=now if one.fixed else one.at + by) for one in told.turns)
    return replace(told, turns=turns, mine_at=None if told.mine_at is None else told.mine_at + by)


def told_to_json(told: Told) -> dict[str, Any]:
    """The stored form; `told_from_json` gives an equal one back, to the millisecond."""
    return {
        "seq": told.seq,
        "channels": list(told.channels),
        "begun": sorted(told.begun),
        "turns": [
            [
                *(stamp(one.at), one.kind, list(one.channels), one.unless),
                *(one.every and one.every.total_seconds(), list(one.hours), one.office, one.fixed, one.what),
            ]
            for one in told.turns
        ],
        "cause": told.cause,
        "mine_at": stamp(told.mine_at),
        "clocks": list(told.clocks),
    }


def told_from_json(raw: Mapping[str, Any]) -> Told:
    """The inverse of `told_to_json`. Raises KeyError or ValueError for anything else."""
    turns = (_turn(*one) for one in raw["turns"])
    heard = tuple(raw["channels"]), frozenset(raw["begun"])
    clocks = tuple(raw.get("clocks", ()))
    return Told(raw["seq"], *heard, tuple(turns), raw["cause"], moment(raw.get("mine_at")), clocks)


def _turn(
    text: str,
    kind: str,
    channels: list[str],
    unless: bool,
    every: float | None,
    hours: tuple[str, ...] = (),  # rows of earlier versions end before it
    office: str | None = None,
    fixed: bool = False,
    what: str = "",
) -> Turn:
    at = moment(text)
    if at is None:
        raise ValueError("a moment is missing")
    pause = None if every is None else timedelta(seconds=every)
    return Turn(at, kind, tuple(channels), unless, pause, tuple(hours), office, fixed, what)
