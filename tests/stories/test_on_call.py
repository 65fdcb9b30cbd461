"""Bad nights: a thousand modules at once, hours of flapping, two incidents, late words, rules that change."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from monitor.core.effect import Happened, Saved
from monitor.core.herald import announced
from monitor.core.incident import Change, Member, Stage, Update
from monitor.core.intent import Notice, Withheld
from monitor.core.module import Priority, Status
from monitor.core.outcome import Course, Happening, notices_object
from monitor.core.route import Route, Step
from monitor.core.word import Acknowledge, Write
from tests.stories.beats import START, Story, module, observation, story

MINUTE = timedelta(minutes=1)
URGENT = Priority.URGENT
CHAIN = Route((Step(("pager",)), Step(("boss",), 10 * MINUTE, True)))


def passing(told: Story, seconds: float, every: float = 30, **outcomes: str) -> None:
    """So much time goes by, looked at every five seconds."""
    for beat in range(round(seconds / 5)):
        told.now += timedelta(seconds=5)
        told.tick()
        if (beat * 5) % every == 0:
            for name, outcome in outcomes.items():
                told.feed(observation(name, told.now, outcome))


def said(told: Story) -> list[tuple[str, str]]:
    """Why and to whom."""
    each = (one for effect in told.effects if isinstance(effect, Happened) for one in effect.said)
    return [(one.why, one.channel) for one in each if isinstance(one, Notice)]


def withheld(told: Story) -> list[Withheld]:
    return [
        one
        for effect in told.effects
        if isinstance(effect, Happened)
        for one in effect.said
        if isinstance(one, Withheld)
    ]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_hundreds_of_modules_that_fail_from_one_root_are_one_notice() -> None:
    """For each channel; of every other module it is on record that nobody was told, and why."""
    names = [f"m{number:04}" for number in range(300)]
    told = story(
        module("root", priority=URGENT, interval=60),
        *(module(name, "root", priority=URGENT, interval=60) for name in names),
        routes=(CHAIN, Route((Step(("chat",)),))),
    )
    for outcome in "++----":
        for name in ("root", *names):
            told.feed(observation(name, told.now, outcome))
        for _ in range(6):
            told.now += timedelta(seconds=5)
            told.tick()
    assert Counter(said(told)) == {("first", "pager"): 1, ("first", "chat"): 1}
    (incident,) = [one for one in told.board.incidents.values() if one.is_open]
    assert incident.cause.module == "root"
    assert {one.module for one in withheld(told) if one.why == "explained_by:root"} >= set(names)


def test_a_thousand_members_are_withheld_one_by_one() -> None:
    """Each with its reason, in the order in which they joined; nobody else is told, and the numbers have no gaps."""
    told, id = failing(CHAIN, Route((Step(("chat",)),)))
    root = told.board.incidents[id]
    count = len(said(told))
    for number in range(1000):
        member = Member(f"m{number}", "affected", Status.DOWN, told.now)
        update = Update(told.now, Stage.IDENTIFIED, "member_added", {"module": member.module})
        root = replace(root, members=(*root.members, member), updates=(*root.updates, update))
        told.board, effects = announced(told.board, [Saved(root, Change.MEMBER_ADDED, told.now)])
        told.effects += effects
    assert len(said(told)) == count == 2
    assert [one.module for one in withheld(told)][-1000:] == [f"m{number}" for number in range(1000)]
    numbers = [one.seq for one in told.effects if isinstance(one, Happened)]
    assert numbers == list(range(1, 1002))


@pytest.mark.parametrize("length", [40, 180], ids=["every 40 s", "every 3 min"])
def test_an_hour_of_flapping_wakes_once_and_once_more_when_it_is_back(length: int) -> None:
    """And reminds; how often it came back stands in the incident. Its end is told once it has lasted."""
    told = story(module("catalog", priority=URGENT), routes=(Route((Step(("pager",)),)),))
    passing(told, 60, every=10, catalog="+")
    for number in range(3600 // length):
        passing(told, length, every=10, catalog="+" if number % 2 else "-")
    passing(told, 1500, every=10, catalog="+")
    counts = Counter(said(told))
    assert counts[("first", "pager")] == 1
    assert counts[("reopened", "pager")] <= 1
    assert counts[("resolved", "pager")] == 1 + counts[("reopened", "pager")]
    assert counts.total() - counts[("reminder", "pager")] <= 4
    (incident,) = {one.id: one for one in told.incidents}.values()
    flaps = told.changes.count("reopened")
    assert told.incidents[-1].reopened == flaps
    assert not told.incidents[-1].is_open
    assert incident.id
    assert len([one for one in withheld(told) if one.why == "flapping"]) >= flaps - 1


def test_two_incidents_at_once_are_told_apart() -> None:
    """Each once to each channel, with chains and words of their own."""
    told = story(module("catalog", priority=URGENT), module("search", priority=URGENT), routes=(CHAIN,))
    passing(told, 60, catalog="+", search="+")
    passing(told, 180, catalog="-", search="-")
    first, second = [one for one in told.board.incidents.values() if one.is_open]
    told.say(Acknowledge(first.id), by="Ana")
    passing(told, 900, catalog="-", search="-")
    by_incident = {
        one.id: Counter(
            (each.why, each.channel)
            for effect in told.effects
            if isinstance(effect, Happened) and effect.incident.id == one.id
            for each in effect.said
            if isinstance(each, Notice)
        )
        for one in (first, second)
    }
    assert by_incident[first.id] == {("first", "pager"): 1, ("acknowledged", "pager"): 1}
    assert by_incident[second.id] == {("first", "pager"): 1, ("escalated", "boss"): 1}


def failing(*routes: Route) -> tuple[Story, str]:
    told = story(module("catalog", priority=URGENT), routes=routes or (CHAIN,))
    passing(told, 60, catalog="+")
    passing(told, 120, catalog="-")
    (incident,) = told.board.incidents.values()
    return told, incident.id


def test_a_word_that_comes_twice_or_too_late_is_no_harm() -> None:
    """Said twice it is told once; after the end it is refused; the end follows all the same, once to each."""
    told, id = failing()
    assert told.say(Acknowledge(id), by="Ana").changed
    assert not told.say(Acknowledge(id), by="Bea").changed
    passing(told, 180, catalog="+")
    assert not told.board.incidents[id].is_open
    late = told.say(Acknowledge(id), by="Cleo")
    assert not late.changed
    assert Counter(said(told)) == {("first", "pager"): 1, ("acknowledged", "pager"): 1, ("resolved", "pager"): 1}


def test_a_word_and_the_end_by_the_same_person_leave_nothing_waiting() -> None:
    """Nobody is told of a step, or reminded, of what is over."""
    told, id = failing()
    told.say(Acknowledge(id), by="Ana")
    passing(told, 60, catalog="+")
    told.say(Write(id, {"en": "Over"}, Stage.RESOLVED), by="Ana")
    passing(told, 3600, catalog="+")
    assert Counter(why for why, _ in said(told)) == {"first": 1, "acknowledged": 1, "resolved": 1}
    assert all(not one.turns for one in told.board.told.values())


def test_a_word_that_has_expired_may_be_said_again_and_is_told() -> None:
    """The boss who was called meanwhile hears that somebody has it."""
    told, id = failing()
    told.say(Acknowledge(id), by="Ana")
    passing(told, 1900, catalog="-")
    assert ("escalated", "boss") in said(told)
    assert told.say(Acknowledge(id), by="Ana").changed
    assert Counter(said(told))[("acknowledged", "boss")] == 1


def test_rules_that_overlap_tell_each_channel_once() -> None:
    """Also a channel that stands twice in one step. Whom a later step of the same rule names again hears again."""
    doubled = Route((Step(("pager", "pager")), Step(("pager", "boss"), 5 * MINUTE), Step(("boss",), 8 * MINUTE)))
    told, _ = failing(doubled, CHAIN, replace(CHAIN, priorities=frozenset({"urgent"})))
    passing(told, 900, catalog="-")
    passing(told, 180, catalog="+")
    assert Counter(said(told)) == {
        ("first", "pager"): 1,
        ("escalated", "pager"): 1,
        ("escalated", "boss"): 2,
        ("resolved", "pager"): 1,
        ("resolved", "boss"): 1,
    }


def test_a_rule_that_changes_while_something_goes_on_doubles_nothing() -> None:
    """The chain that was written down goes on; a reload by itself tells nobody; whom the new rule names besides hears
    when there is news. Everybody hears of the end, and of the end only once."""
    told, _ = failing()
    before = len(said(told))
    fresh = Route((Step(("pager",)), Step(("chat",)), Step(("boss",), 20 * MINUTE)), repeat=10 * MINUTE)
    told.reconfigure(replace(told.board.platform, routes=(fresh,)))
    passing(told, 300, catalog="-")
    assert len(said(told)) == before
    incident = next(iter(told.board.incidents.values()))
    told.board, effects = announced(told.board, [Saved(incident, Change.WORSENED, told.now)])
    told.effects += effects
    assert said(told)[before:] == [("worsened", "chat")]
    passing(told, 2400, catalog="-")
    reminders = Counter(channel for why, channel in said(told) if why == "reminder")
    assert reminders["pager"] <= 2, "as often as it was written down"
    passing(told, 300, catalog="+")
    ends = Counter(channel for why, channel in said(told) if why == "resolved")
    assert ends == {"pager": 1, "chat": 1, "boss": 1}
    assert Counter(said(told))[("escalated", "boss")] == 1


def test_a_first_start_and_a_restart_say_nothing_of_what_was() -> None:
    """What is remembered as failing was told; what is remembered as over is over."""
    told, _ = failing()
    count = len(said(told))
    for pause in (1.0, 60.0, 1.0):
        told.restart(pause=pause)
        passing(told, 30, catalog="-")
    assert len(said(told)) == count
    passing(told, 180, catalog="+")
    ended = len(said(told))
    told.restart(pause=3600)
    passing(told, 300, catalog="+")
    assert len(said(told)) == ended
    fresh = story(module("catalog", priority=URGENT), routes=(CHAIN,))
    passing(fresh, 300, catalog="+")
    assert said(fresh) == []


@dataclass(frozen=True)
class Daily:
    """Hours of each day, in UTC."""

    name: str
    begin: int
    end: int

    def within(self, at: datetime) -> bool:
        return self.begin <= at.hour < self.end

    def opens_at(self, at: datetime) -> datetime | None:
        opens = at.replace(hour=self.begin, minute=0, second=0, microsecond=0)
        return opens if opens > at else opens + timedelta(days=1)

    def closes_at(self, at: datetime) -> datetime | None:
        closes = at.replace(hour=self.end, minute=0, second=0, microsecond=0)
        return closes if closes > at else closes + timedelta(days=1)


@pytest.mark.parametrize(
    ("rule", "step", "channel", "hour"),
    [
        ((0, 24), (0, 24), (0, 24), 12),
        ((14, 18), (0, 24), (0, 24), 14),
        ((0, 24), (15, 18), (0, 24), 15),
        ((0, 24), (0, 24), (16, 18), 16),
        ((14, 18), (15, 18), (0, 24), 15),
        ((14, 18), (15, 18), (16, 18), 16),
        ((15, 18), (13, 18), (14, 18), 15),
    ],
)
def test_hours_of_rule_step_and_channel_all_count(
    rule: tuple[int, int], step: tuple[int, int], channel: tuple[int, int], hour: int
) -> None:
    """What began at noon is told in the first hour that lies in all of them, once; its end at any time."""
    hours = {name: Daily(name, *each) for name, each in (("rule", rule), ("step", step), ("channel", channel))}
    route = Route((Step(("chat",), hours=hours["step"]),), hours=hours["rule"])
    told = story(
        module("catalog", priority=Priority.HIGH),
        routes=(route,),
        hours={"chat": hours["channel"]},
        calendars=hours,
    )
    passing(told, 60, catalog="+")
    passing(told, 120, catalog="-")
    for quarter in range(1, 5 * 4):
        told.now = max(told.now, START + quarter * 15 * MINUTE)
        passing(told, 60, catalog="-")
    (first,) = [
        one for one in told.effects if isinstance(one, Happened) and any(isinstance(s, Notice) for s in one.said)
    ]
    assert first.at.hour == hour
    passing(told, 300, catalog="+")
    assert [why for why, _ in said(told)] == ["first", "resolved"]


def test_nobody_misses_a_reminder_or_a_cause_for_the_hours_of_a_channel() -> None:
    """What came while it was closed is told when it opens, once; who heard late is reminded from then on."""
    hours = Daily("day", 9, 18)
    told = story(
        module("catalog", priority=Priority.HIGH),
        routes=(Route((Step(("chat",)),), repeat=60 * MINUTE),),
        hours={"chat": hours},
    )
    told.now = START.replace(hour=17, minute=50)
    passing(told, 60, catalog="+")
    passing(told, 120, catalog="-")
    incident = next(iter(told.board.incidents.values()))
    assert said(told) == [("first", "chat")]
    told.now += timedelta(hours=3)
    other = replace(incident, cause=replace(incident.cause, code="http.429"))
    told.board = replace(told.board, incidents={incident.id: other})
    told.board, effects = announced(told.board, [Saved(other, Change.CAUSE_CHANGED, told.now)])
    told.effects += effects
    for _ in range(16 * 4):
        told.now += 15 * MINUTE
        passing(told, 35, catalog="-")
    by_hour = Counter(
        (one.at.hour, each.why)
        for one in told.effects
        if isinstance(one, Happened) and one.at.date() > START.date()
        for each in one.said
        if isinstance(each, Notice)
    )
    assert by_hour[(9, "cause_changed")] == by_hour[(9, "reminder")] == 1
    assert min(hour for hour, _ in by_hour) == 9
    assert max(by_hour.values()) == 1


def test_who_hears_when_hours_open_is_not_reminded_in_the_same_breath() -> None:
    """An hour later."""
    told = story(
        module("catalog", priority=Priority.HIGH),
        routes=(Route((Step(("chat",)),), repeat=60 * MINUTE),),
        hours={"chat": Daily("afternoon", 14, 18)},
    )
    passing(told, 60, catalog="+")
    passing(told, 120, catalog="-")
    for _ in range(13):
        told.now += 10 * MINUTE
        passing(told, 30, catalog="-")
    assert said(told) == [("first", "chat")]
    for _ in range(6):
        told.now += 10 * MINUTE
        passing(told, 30, catalog="-")
    assert said(told) == [("first", "chat"), ("reminder", "chat")]


def test_what_was_held_back_is_on_record_with_its_reason() -> None:
    """In the operators' JSON, each reason once."""
    told, id = failing(replace(CHAIN, hours=Daily("night", 22, 23)))
    events = [
        Happening(id, one.seq, one.event, one.at, tuple((e.module, e.why) for e in one.said if isinstance(e, Withheld)))
        for one in told.effects
        if isinstance(one, Happened)
    ]
    assert notices_object(Course(tuple(events)))["withheld"] == [{"module": None, "why": "hours:night"}]
