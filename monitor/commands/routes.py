"""Routes: `notify` and `calendars` of the configuration as judging reads them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Config
from monitor.core.notice import Route, Step

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def routes_of(config: Config) -> tuple[Route, ...]:
    """Every rule of `notify`, in order."""
    calendars: Mapping[str, Any] = config.sections.get("calendars", {})
    return tuple(_route(rule, calendars) for rule in config.sections.get("notify", ()))


def _route(rule: Mapping[str, Any], calendars: Mapping[str, Any]) -> Route:
    match, hours = rule["match"], rule["hours"]
    wanted = {name: None if match[name] is None else frozenset(match[name]) for name in match}
    return Route(
        steps=tuple(Step(tuple(step["to"]), step["after"]) for step in rule["steps"]),
        priorities=wanted["priority"],
        groups=wanted["group"],
        components=wanted["component"],
        modules=wanted["module"],
        hours=hours,
        within=_within(calendars[hours]) if hours in calendars else lambda at: True,
    )


def _within(calendar: Mapping[str, Any]) -> Callable[[datetime], bool]:
    """Whether a moment lies in working hours. Days off count where they are given as dates."""
    zone = ZoneInfo(calendar["timezone"])
    begin, end = (_minutes(calendar[name]) for name in ("from", "until"))
    off = {one for one in map(_date, calendar["holidays"]) if one is not None}
    days = set(calendar["days"])

    def within(at: datetime) -> bool:
        local = at.astimezone(zone)
        if DAYS[local.weekday()] not in days or local.date() in off:
            return False
        minute = local.hour * 60 + local.minute
        return begin <= minute < end if begin <= end else minute >= begin or minute < end

    return within


def _minutes(clock: str | time) -> int:
    hours, minutes = str(clock).split(":")[:2]
    return int(hours) * 60 + int(minutes)


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None  # a region such as BR-SP
