"""Routes: `notify`, `channels` and `calendars` of the configuration as judging reads them."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config.daysoff import is_off
from monitor.config.notices import DAILY
from monitor.config.scalars import duration
from monitor.config.telling import PLACES
from monitor.core.hours import Hours
from monitor.core.route import Route, Step

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
QUARTER = timedelta(minutes=15)
AHEAD = 370  # days in which working hours open again, if they ever do


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told of incidents, the hours of channels that have any, and all calendars by name."""

    routes: tuple[Route, ...]
    hours: Mapping[str, Hours]
    calendars: Mapping[str, Hours]


def telling_of(sections: Mapping[str, Any], zone: str) -> Telling:
    """Every rule of `notify`, in order, and one for the team of each store that none of them tells. `zone` is that of
    times of day which say none."""
    written = sections.get("calendars", {})
    calendars: dict[str, Hours] = {name: _calendar(name, written) for name in written}
    channels, rules, stores = (sections.get(name, {}) for name in ("channels", "notify", "stores"))
    hours = {name: calendars[one["hours"]] for name, one in channels.items() if one["hours"] in calendars}
    plans = {plan["id"]: calendars.get(plan.get("hours", "always")) for plan in sections.get("plans", ())}
    found = [route for rule in rules for route in _routes(rule, calendars, stores, plans, channels, zone)]
    told = {channel for route in found for channel in route.channels}
    for store in stores:
        if team := tuple(name for name in store.get("channels", ()) if name not in told):
            step = Step(team, office=plans.get(store.get("plan") or ""))
            found.append(Route((step,), stores=frozenset({store["id"]})))
    return Telling(tuple(found), hours, calendars)


def _routes(
    rule: Mapping[str, Any],
    calendars: Mapping[str, Hours],
    stores: Sequence[Mapping[str, Any]],
    plans: Mapping[str, Hours | None],
    channels: Container[str],
    zone: str,
) -> list[Route]:
    """The routes of a rule: steps of the same stores belong to the same one; those of a team are its store's own."""
    match = rule["match"]
    wanted = {name: None if match[name] is None else frozenset(match[name]) for name in match}
    meant = [
        one
        for one in stores
        if (wanted["store"] is None or one["id"] in wanted["store"])
        and (wanted["plan"] is None or one.get("plan") in wanted["plan"])
    ]
    every = None if wanted["store"] is None and wanted["plan"] is None else frozenset(one["id"] for one in meant)
    found: dict[frozenset[str] | None, list[Step]] = {}
    for step in rule["steps"]:
        their = meant if step["plan"] is None else [one for one in meant if one.get("plan") in step["plan"]]
        plain = tuple(name for name in step["to"] if name in channels or name not in PLACES)
        same = Step(plain, step["after"], step["unless"] == "acknowledged", calendars.get(step["hours"]))
        if plain:
            found.setdefault(every if step["plan"] is None else frozenset(one["id"] for one in their), []).append(same)
        for store in their if len(plain) < len(step["to"]) else ():
            words = (name for name in step["to"] if name not in plain)
            theirs = tuple(dict.fromkeys(channel for word in words for channel in _reached(store, word)))
            if theirs:
                own = replace(same, channels=theirs, office=plans.get(store.get("plan") or ""))
                found.setdefault(frozenset({store["id"]}), []).append(own)
    return [
        Route(
            steps=tuple(steps),
            priorities=wanted["priority"],
            groups=wanted["group"],
            components=wanted["component"],
            modules=wanted["module"],
            hours=calendars.get(rule["hours"]),
            repeat=rule["repeat"],
            stores=those,
            digest=None if rule["digest"] is None else Gathering(rule["digest"], ZoneInfo(zone)),
        )
        for those, steps in found.items()
    ]


def _reached(store: Mapping[str, Any], word: str) -> Sequence[str]:
    """The channels of a store that a word of `to` stands for."""
    found: Any = store
    for key in PLACES[word]:
        found = (found or {}).get(key)
    return found or ()


@dataclass(frozen=True, slots=True)
class Gathering:
    """See Rhythm. A duration, from when something falls into a window; or a time of day in a zone."""

    name: str
    zone: ZoneInfo

    @property
    def every(self) -> timedelta | None:
        """See Rhythm."""
        return None if DAILY.fullmatch(self.name) else duration(self.name)

    def next_at(self, at: datetime) -> datetime:
        """See Rhythm."""
        if self.every is not None:
            return at + self.every
        clock = time.fromisoformat(self.name.rpartition(" ")[2])
        today = at.astimezone(self.zone).date()
        ends = (datetime.combine(today + timedelta(days=day), clock, self.zone) for day in range(3))
        return next(end.astimezone(at.tzinfo) for end in ends if end > at)


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
        days = (today + timedelta(days=day) for day in range(AHEAD))
        moments = (moment.astimezone(UTC) for day in days for moment in self._edges(day, self.begin))
        return next((one.astimezone(at.tzinfo) for one in moments if one > at and self.within(one)), None)

    def closes_at(self, at: datetime) -> datetime | None:
        """See Hours."""
        yesterday = at.astimezone(self.zone).date() - timedelta(days=1)
        days = (yesterday + timedelta(days=day) for day in range(AHEAD))
        moments = (moment.astimezone(UTC) for day in days for moment in self._edges(day, self.end))
        return next((one.astimezone(at.tzinfo) for one in moments if one > at and not self.within(one)), None)

    def _edges(self, day: date, minute: int) -> list[datetime]:
        """When hours may begin, or end, that do so so many minutes after midnight; on a day on which clocks change what
        is skipped or comes twice is looked at by the quarter of an hour."""
        first, last = (datetime.combine(day + timedelta(days=n), time(), self.zone) for n in (0, 1))
        edge = datetime.combine(day, time(minute % 1440 // 60, minute % 60), self.zone)
        found = [first, edge]
        if first.utcoffset() != last.utcoffset():
            begin, end = first.astimezone(UTC), last.astimezone(UTC)
            found += [edge.replace(fold=1), *(begin + n * QUARTER for n in range((end - begin) // QUARTER))]
        return sorted(found, key=lambda one: one.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class OutsideHours:
    """Every hour that is none of another calendar: its evenings, weekends and days off."""

    name: str
    inner: WorkingHours

    def within(self, at: datetime) -> bool:
        """See Hours."""
        return not self.inner.within(at)

    def opens_at(self, at: datetime) -> datetime | None:
        """See Hours."""
        begins = at if self.inner.within(at) else self.inner.opens_at(at)
        return None if begins is None else self.inner.closes_at(begins)

    def closes_at(self, at: datetime) -> datetime | None:
        """See Hours."""
        ends = at if not self.inner.within(at) else self.inner.closes_at(at)
        return None if ends is None else self.inner.opens_at(ends)


def _calendar(name: str, written: Mapping[str, Any]) -> Hours:
    """The hours of a calendar, or those outside of the one that it names."""
    other = written[name].get("outside")
    return _hours(name, written[name]) if other is None else OutsideHours(name, _hours(other, written[other]))


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
    written = sections.get("calendars", {})
    return None if name is None or name not in written else _calendar(name, written)
