"""Digests: what is of little haste is told in one message for each window; nothing of it is lost, or told twice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.core.effect import Effect, Missed, Silenced, Summed
from monitor.core.intent import Withheld
from monitor.core.module import Priority
from monitor.core.route import Route, Step
from monitor.core.silence import Scope
from tests.core.test_herald import said
from tests.core.test_notice import From
from tests.stories.beats import START, Story, module, observation, story

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Every:
    """A window from its first line on."""

    every: timedelta
    name: str = "1h"

    def next_at(self, at: datetime) -> datetime:
        return at + self.every


NINE = START.replace(hour=9)


@dataclass(frozen=True)
class AtNine:
    """A window that ends each day at nine."""

    every: timedelta | None = None
    name: str = "09:00"

    def next_at(self, at: datetime) -> datetime:
        today = at.replace(hour=9, minute=0, second=0, microsecond=0)
        return today if today > at else today + timedelta(days=1)


HOURLY = Route((Step(("mail",)),), digest=Every(HOUR))
CHAT = Route((Step(("chat",)),))


def shop(*routes: Route, priority: Priority = Priority.LOW) -> Story:
    return story(module("catalog", priority=priority), module("search", priority=priority), routes=routes)


def passing(told: Story, minutes: float, **failing: str) -> None:
    """So much time goes by, in steps of half a minute; what is not named is well."""
    for _ in range(int(minutes * 2)):
        told.now += timedelta(seconds=30)
        told.tick()
        for name in ("catalog", "search"):
            told.feed(observation(name, told.now, failing.get(name, "+")))


def sums(effects: Sequence[Effect]) -> list[tuple[str, float, list[tuple[str, bool]]]]:
    """To whom, after how many minutes, and of what: whether that is over."""
    return [
        (one.channel, (one.at - START) // MINUTE, [(line.incident, line.ended_at is not None) for line in one.lines])
        for one in effects
        if isinstance(one, Summed)
    ]


def test_what_is_low_is_told_to_nobody_but_in_a_digest() -> None:
    """One message for the window, with both incidents in it and how they ended; the reason stands with the incident."""
    told = shop(CHAT, HOURLY)
    passing(told, 1)
    passing(told, 5, catalog="-")
    passing(told, 5, search="-")
    passing(told, 60)
    first, second = told.incidents
    assert [(channel, lines) for channel, _, lines in sums(told.effects)] == [
        ("mail", [(first.id, True), (second.id, True)])
    ]
    assert said(told) == []
    reasons = [one.why for each in told.effects for one in getattr(each, "said", ()) if isinstance(one, Withheld)]
    assert set(reasons) == {"low"}
    passing(told, 130)
    assert len(sums(told.effects)) == 1, "nothing new, nothing said"


def test_whoever_names_low_is_told_at_once() -> None:
    """A rule that asks for it."""
    told = shop(replace(CHAT, priorities=frozenset({"low"})))
    passing(told, 1)
    passing(told, 4, catalog="-")
    assert [(why, channel) for why, channel, _ in said(told)] == [("first", "chat")]


def test_what_goes_on_is_told_again_once_it_is_over() -> None:
    """Also when it has become so grave by then that the rule does not mean it any more."""
    modules = (module("catalog", priority=Priority.LOW), module("search", "catalog", priority=Priority.URGENT))
    told = story(*modules, routes=(replace(HOURLY, priorities=frozenset({"low"})),))
    passing(told, 1)
    passing(told, 70, catalog="-")
    (incident,) = told.incidents
    assert [lines for _, _, lines in sums(told.effects)] == [[(incident.id, False)]]
    passing(told, 70, catalog="-", search="-")
    assert told.incidents[0].priority == "urgent"
    passing(told, 70)
    assert [lines for _, _, lines in sums(told.effects)][1:] == [[(incident.id, True)]]


def test_a_restart_loses_no_line_and_tells_none_twice() -> None:
    """Whenever it happens."""
    for minutes in (3, 30, 59, 61, 75):
        told = shop(HOURLY)
        passing(told, 1)
        passing(told, 4, catalog="-")
        passing(told, minutes - 4)
        told.restart(pause=5)
        passing(told, 70)
        assert [len(lines) for _, _, lines in sums(told.effects)] == [1]


def test_a_clock_that_is_set_neither_hastens_nor_repeats_a_digest() -> None:
    """An hour is an hour."""
    for days in (1, -1):
        told = shop(HOURLY)
        passing(told, 1)
        passing(told, 10, catalog="-")
        told.now += timedelta(days=days)
        told._take(Missed("here", told.now, told.now, "self.clock", timedelta(days=days)))
        passing(told, 45, catalog="-")
        assert sums(told.effects) == []
        passing(told, 15, catalog="-")
        assert len(sums(told.effects)) == 1


def test_a_digest_of_nine_in_the_morning_comes_at_nine_by_the_clock_that_was_set() -> None:
    """Of the day that it says now."""
    for days in (1, -1):
        told = shop(replace(HOURLY, digest=AtNine()))
        passing(told, 1)
        passing(told, 10, catalog="-")
        assert told.board.digests["mail"].due_at == NINE + timedelta(days=1)
        told.now += timedelta(days=days)
        told._take(Missed("here", told.now, told.now, "self.clock", timedelta(days=days)))
        assert told.board.digests["mail"].due_at == NINE + timedelta(days=1 + days)


def test_a_channel_is_told_in_its_hours() -> None:
    """Of a digest that is due outside of them when they open; once."""
    told = shop(HOURLY)
    told.reconfigure(replace(told.board.platform, hours={"mail": From(START + 3 * HOUR)}))
    passing(told, 1)
    passing(told, 4, catalog="-")
    passing(told, 170)
    assert sums(told.effects) == []
    passing(told, 90)
    assert [(channel, minutes) for channel, minutes, _ in sums(told.effects)] == [("mail", 180)]


def test_what_is_silenced_waits_for_the_next_digest() -> None:
    """It is held, not dropped."""
    told = shop(HOURLY)
    passing(told, 1)
    passing(told, 10, catalog="-")
    told.order(Silenced(Scope(), "known", told.now + HOUR, everything=True, by="Ana"))
    passing(told, 55, catalog="-")
    assert sums(told.effects) == []
    passing(told, 60, catalog="-")
    assert len(sums(told.effects)) == 1
