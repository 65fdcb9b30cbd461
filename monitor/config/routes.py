"""Routes: `notify`, `channels` and `calendars` of the configuration as judging reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config.daysoff import is_off
from monitor.core.route import Hours, Route, Step

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = 370  # days in which working hours open again, if they ever do


def routes_of(sections: Mapping[str, Any]) -> tuple[Route, ...]:
    """Every rule of `notify`, in order."""
    calendars = _calendars(sections)
    return tuple(_route(rule, calendars) for rule in sections.get("notify", ()))


def hours_of(sections: Mapping[str, Any]) -> dict[str, Hours]:
    """The hours of every channel that has any."""
    calendars = _calendars(sections)
    channels = sections.get("channels", {})
    return {name: calendars[one["hours"]] for name, one in channels.items() if one["hours"] in calendars}


def _calendars(sections: Mapping[str, Any]) -> dict[str, Hours]:
    return {name: _hours(name, calendar) for name, calendar in sections.get("calendars", {}).items()}


def _route(rule: Mapping[str, Any], calendars: Mapping[str, Hours]) -> Route:
    match = rule["match"]
    wanted = {name: None if match[name] is None else frozenset(match[name]) for name in match}
    return Route(
        steps=tuple(Step(tuple(step["to"]), step["after"], step["unless"] == "acknowledged") for step in rule["steps"]),
        priorities=wanted["priority"],
        groups=wanted["group"],
        components=wanted["component"],
        modules=wanted["module"],
        hours=calendars.get(rule["hours"]),
        repeat=rule["repeat"],
    )


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Hours of a calendar. `off` are its own days off, `regions` those whose public holidays are off as well."""

    name: str
    zone: ZoneInfo
    days: frozenset[str]
    begin: int  # minutes after midnight
    end: int
    off: frozenset[date]
    regions: tuple[str, ...] = ()

    def within(self, at: datetime) -> bool:
        """See Hours."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end and self._works(local.date())
        if minute < self.end:  # the small hours belong to the day on which they began
            return self._works(local.date() - timedelta(days=1))
        return minute >= self.begin and self._works(local.date())

    def _works(self, day: date) -> bool:
        off = day in self.off or any(is_off(region, day) for region in self.regions)
        return DAYS[day.weekday()] in self.days and not off

    def opens_at(self, at: datetime) -> datetime | None:
        """See Hours. Hours begin at their beginning; those that last the whole day at midnight."""
        today = at.astimezone(self.zone).date()
        for day in range(AHEAD):
            for minute in sorted({0, self.begin % 1440}):
                clock = time(minute // 60, minute % 60)
                opens = datetime.combine(today + timedelta(days=day), clock, self.zone)
                if opens > at and self.within(opens):
                    return opens.astimezone(at.tzinfo)
        return None


def _hours(name: str, calendar: Mapping[str, Any]) -> WorkingHours:
    begin, end = (_minutes(calendar[key]) for key in ("from", "until"))
    dates = {text: _date(text) for text in calendar["holidays"]}
    off = frozenset(one for one in dates.values() if one is not None)
    regions = tuple(text for text, one in dates.items() if one is None)
    return WorkingHours(name, ZoneInfo(calendar["timezone"]), frozenset(calendar["days"]), begin, end, off, regions)


def _minutes(clock: str | time) -> int:
    hours, minutes = str(clock).split(":")[:2]
    return int(hours) * 60 + int(minutes)


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None  # a region such as BR-SP


def calendar_of(sections: Mapping[str, Any], name: str | None) -> Hours | None:
    """The hours of a calendar; None for `always`, or where nothing is said."""
    return None if name is None else _calendars(sections).get(name)
