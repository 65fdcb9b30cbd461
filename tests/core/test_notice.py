"""Who is told what about an incident, and why not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from monitor.core.concern import fits
from monitor.core.incident import Change, Incident
from monitor.core.intent import Intent, Notice, Withheld
from monitor.core.module import Component, Group, Platform, Priority
from monitor.core.notice import FLAPPING, plan, turn
from monitor.core.route import Route, Step
from monitor.core.told import Told, Turn, told_from_json, told_to_json
from tests.stories.beats import START, module, story

TOLD = story(module("checkout", "catalog"), module("catalog")).play(
    {"checkout": "++" + "-" * 6, "catalog": "++" + "-" * 6}
)
(INCIDENT,) = TOLD.incidents
GROUPS = (Group("buying", {"en": "Buying"}, (Component("cart", {"en": "Cart"}, ("checkout",)),)),)
PLATFORM = replace(TOLD.board.platform, groups=GROUPS)
HIT = replace(INCIDENT, components=("cart",), priority=Priority.URGENT)
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
BOTH = Route((Step(("pager",)), Step(("chat",), 10 * MINUTE)))


@dataclass(frozen=True)
class From:
    """Hours that begin at a moment and never end."""

    begins: datetime
    name: str = "business"

    def within(self, at: datetime) -> bool:
        return at >= self.begins

    def opens_at(self, at: datetime) -> datetime | None:
        return self.begins if at < self.begins else None

    def closes_at(self, at: datetime) -> datetime | None:
        return None


def escalate(
    told: Told,
    now: datetime,
    incident: Incident = HIT,
    routes: tuple[Route, ...] = (BOTH,),
    platform: Platform = PLATFORM,
) -> tuple[Told, list[Intent]]:
    """Every turn that has come, in order of time, but for reminders that are not asked for."""
    found: list[Intent] = []
    while ready := sorted((one for one in told.turns if one.at <= now), key=lambda one: one.at):
        told, said = turn(told, incident, ready[0], now, routes, platform)
        found += said
    return told, found


def first_of(said: list[Intent]) -> list[tuple[str, str]]:
    """Why and to whom."""
    return [(one.why, one.channel) for one in said if isinstance(one, Notice)]


def test_one_first_notice_for_each_channel_and_none_for_members() -> None:
    """Two routes to the same channel are one notice; a member is withheld with its reason."""
    told, said = plan(Told(), HIT, Change.OPENED, START, (BOTH, BOTH), PLATFORM)
    assert said == [Notice(START, "first", HIT.id, "pager")]
    _, said = plan(told, HIT, Change.MEMBER_ADDED, START + MINUTE, (BOTH,), PLATFORM)
    assert [replace(one, module=None) for one in said if isinstance(one, Withheld)] == [
        Withheld(START + MINUTE, "explained_by:catalog", HIT.id)
    ]
    assert len(said) == 1


def test_a_step_that_is_due_is_told_once_dated_when_it_was_due() -> None:
    """Also when the look came late; not at all once the incident is over."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    assert escalate(told, START + 9 * MINUTE)[1] == []
    late, said = escalate(told, START + 25 * MINUTE)
    assert said == [Notice(START + 10 * MINUTE, "escalated", HIT.id, "chat")]
    assert escalate(late, START + 29 * MINUTE)[1] == []
    over, _ = plan(told, HIT, Change.RESOLVED, START + MINUTE, (BOTH,), PLATFORM)
    assert escalate(over, START + 60 * MINUTE)[1] == []


def test_a_later_step_tells_again_whom_an_earlier_one_of_its_route_told() -> None:
    """Whoever writes the pager into both wants it to ring again, until somebody has it."""
    steps = Step(("pager",)), Step(("pager", "chat"), 10 * MINUTE, True), Step(("pager",), 20 * MINUTE, True)
    route = Route(steps)
    told, said = plan(Told(), HIT, Change.OPENED, START, (route,), PLATFORM)
    assert first_of(said) == [("first", "pager")]
    told, said = escalate(told, START + 10 * MINUTE, routes=(route,))
    assert sorted(first_of(said)) == [("escalated", "chat"), ("escalated", "pager")]
    assert [one.opens for one in said if isinstance(one, Notice) and one.channel == "pager"] == [False]
    assert told.channels == ("pager", "chat")
    assert told_from_json(told_to_json(told)) == told
    mine = replace(told, mine_at=START + 15 * MINUTE)
    assert first_of(escalate(mine, START + 20 * MINUTE, routes=(route,))[1]) == []
    told, said = escalate(told, START + 20 * MINUTE, routes=(route,))
    assert first_of(said) == [("escalated", "pager")]
    assert first_of(escalate(told, START + 25 * MINUTE, routes=(route,))[1]) == []
    _, said = plan(told, HIT, Change.RESOLVED, START + 26 * MINUTE, (route,), PLATFORM)
    assert sorted(first_of(said)) == [("resolved", "chat"), ("resolved", "pager")], "once each"


def test_a_step_of_another_route_does_not_tell_again() -> None:
    """What two routes want of one channel is told once."""
    other = Route((Step(("boss",)), Step(("pager",), 10 * MINUTE)))
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH, other), PLATFORM)
    assert first_of(escalate(told, START + 10 * MINUTE, routes=(BOTH, other))[1]) == [("escalated", "chat")]


def test_what_is_told_again_waits_for_the_hours_of_its_channel() -> None:
    """And rings once then; it has not heard of it yet."""
    high = replace(HIT, priority=Priority.HIGH)
    platform = replace(PLATFORM, hours={"pager": From(START + HOUR)})
    route = Route((Step(("chat",)), Step(("pager",), MINUTE), Step(("chat", "pager"), 10 * MINUTE)))
    told, _ = plan(Told(), high, Change.OPENED, START, (route,), platform)
    heard = []
    for minute in range(0, 100):
        told, said = escalate(told, START + minute * MINUTE, routes=(route,), incident=high, platform=platform)
        heard += [(minute, *one) for one in first_of(said) if one[0] != "reminder"]
    assert heard == [(10, "escalated", "chat"), (60, "first", "pager")]


def test_resolved_reaches_everybody_who_heard_of_it() -> None:
    """And nobody else."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = escalate(told, START + 10 * MINUTE)
    told, said = plan(told, HIT, Change.RESOLVED, START + 20 * MINUTE, (), PLATFORM)
    assert [(one.why, one.channel) for one in said if isinstance(one, Notice)] == [
        ("resolved", "pager"),
        ("resolved", "chat"),
    ]
    assert told == Told()
    assert not any(one.opens for one in said if isinstance(one, Notice))


@pytest.mark.parametrize("change", [Change.WORSENED, Change.MEMBER_ADDED, Change.CAUSE_CHANGED])
def test_whom_an_incident_concerns_later_hears_of_it_then(change: Change) -> None:
    """What began as a small thing and became urgent reaches the pager, once, and its steps begin at that moment."""
    mild = replace(HIT, priority=Priority.NORMAL)
    urgent = replace(BOTH, priorities=frozenset({"urgent"}))
    told, said = plan(Told(), mild, Change.OPENED, START, (urgent,), PLATFORM)
    assert said == []
    told, said = plan(told, HIT, change, START + MINUTE, (urgent,), PLATFORM)
    assert said == [Notice(START + MINUTE, change.value, HIT.id, "pager")]
    told, said = plan(told, HIT, Change.WORSENED, START + 2 * MINUTE, (urgent,), PLATFORM)
    assert said == []
    _, said = escalate(told, START + 11 * MINUTE)
    assert said == [Notice(START + 11 * MINUTE, "escalated", HIT.id, "chat")]


def test_a_relapse_is_told_as_reopened() -> None:
    """It was resolved for everybody, so everybody hears of it anew."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = plan(told, HIT, Change.RESOLVED, START + MINUTE, (BOTH,), PLATFORM)
    _, said = plan(told, HIT, Change.REOPENED, START + 2 * MINUTE, (BOTH,), PLATFORM)
    assert said == [Notice(START + 2 * MINUTE, "reopened", HIT.id, "pager")]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, True),
        ({"priorities": frozenset({"urgent"})}, True),
        ({"priorities": frozenset({"low"})}, False),
        ({"groups": frozenset({"buying"})}, True),
        ({"groups": frozenset({"admin"})}, False),
        ({"components": frozenset({"cart", "other"})}, True),
        ({"modules": frozenset({"catalog"})}, True),
        ({"modules": frozenset({"catalog"}), "priorities": frozenset({"low"})}, False),
    ],
)
def test_a_route_takes_what_fits_all_it_names(wanted: dict[str, frozenset[str]], expected: bool) -> None:
    """What it does not name fits everything."""
    assert fits(Route((), **wanted).match, HIT, PLATFORM) is expected


@dataclass(frozen=True)
class Daily:
    """A digest once a day."""

    name: str
    every: timedelta | None = None

    def next_at(self, at: datetime) -> datetime:
        return at + 24 * HOUR


SEVERAL = Route(
    (Step(("pager", "chat")), Step(("boss",), MINUTE)),
    priorities=frozenset({"high", "urgent"}),
    modules=frozenset({"checkout", "catalog"}),
)
NIGHT = From(START, "night")


@pytest.mark.parametrize(
    "other",
    [
        replace(SEVERAL, steps=SEVERAL.steps[:1]),
        replace(SEVERAL, steps=(Step(("chat", "pager")), SEVERAL.steps[1])),
        *(
            replace(SEVERAL, steps=(SEVERAL.steps[0], replace(SEVERAL.steps[1], **other)))
            for other in ({"after": HOUR}, {"unless_acknowledged": True}, {"hours": NIGHT}, {"office": NIGHT})
        ),
        replace(SEVERAL, priorities=None),
        replace(SEVERAL, priorities=None, groups=SEVERAL.priorities),
        replace(SEVERAL, components=frozenset({"cart"})),
        replace(SEVERAL, modules=frozenset({"checkout"})),
        replace(SEVERAL, stores=frozenset()),
        replace(SEVERAL, hours=NIGHT),
        replace(SEVERAL, hours=From(START)),
        replace(SEVERAL, repeat=HOUR),
        replace(SEVERAL, digest=Daily("daily")),
        replace(SEVERAL, digest=Daily("nightly")),
    ],
)
def test_a_route_is_known_by_all_that_it_says(other: Route) -> None:
    """Whoever changes anything of it has another one."""
    assert other.id != SEVERAL.id


def test_a_route_that_says_the_same_is_the_same() -> None:
    """After a restart, too: hours are known by their name."""
    tonight, tomorrow = (replace(SEVERAL, hours=From(begins, "night")) for begins in (START, START + 24 * HOUR))
    assert tonight.id == tomorrow.id


def test_outside_its_hours_a_route_withholds() -> None:
    """With the name of the calendar."""
    closed = replace(BOTH, hours=From(START + HOUR))
    _, said = plan(Told(), HIT, Change.OPENED, START, (closed,), PLATFORM)
    assert said == [Withheld(START, "hours:business", HIT.id)]


def test_whoever_heard_of_it_hears_once_that_somebody_has_it() -> None:
    """A service that escalates by itself has to know; that it is confirmed later is told to nobody."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, said = said_mine(told, START + MINUTE)
    assert said == [Notice(START + MINUTE, "acknowledged", HIT.id, "pager", opens=False)]
    told, said = said_mine(told, START + 20 * MINUTE)
    assert said == []
    told, said = said_mine(told, START + 51 * MINUTE)
    assert first_of(said) == [("acknowledged", "pager")], "it had expired, so it is news"


def test_when_its_hours_begin_a_route_begins_with_them() -> None:
    """For an incident that is still open; its steps count from then."""
    closed = replace(BOTH, hours=From(START + HOUR))
    told, _ = plan(Told(), HIT, Change.OPENED, START, (closed,), PLATFORM)
    told, said = plan(told, HIT, Change.WORSENED, START + MINUTE, (closed,), PLATFORM)
    assert said == []
    told, said = escalate(told, START + HOUR, routes=(closed,))
    assert said == [Notice(START + HOUR, "first", HIT.id, "pager")]
    assert first_of(escalate(told, START + HOUR + 10 * MINUTE, routes=(closed,))[1]) == [("escalated", "chat")]


def test_what_is_not_urgent_waits_for_the_hours_of_a_channel() -> None:
    """And what is urgent does not."""
    platform = replace(PLATFORM, hours={"pager": From(START + HOUR)})
    _, said = plan(Told(), HIT, Change.OPENED, START, (BOTH,), platform)
    assert first_of(said) == [("first", "pager")]
    high = replace(HIT, priority=Priority.HIGH)
    told, said = plan(Told(), high, Change.OPENED, START, (BOTH,), platform)
    assert said == [Withheld(START, "hours:business", HIT.id)]
    waiting = next(one for one in told.turns if one.kind == "waiting")
    told, said = turn(told, high, waiting, START + HOUR, (BOTH,), platform)
    assert said == [Notice(START + HOUR, "first", HIT.id, "pager")]


def test_what_becomes_urgent_waits_no_longer() -> None:
    """Neither for the hours of a channel, nor a day for its next reminder."""
    platform = replace(PLATFORM, hours={"pager": From(START + HOUR)})
    high = replace(HIT, priority=Priority.HIGH)
    told, _ = plan(Told(), high, Change.OPENED, START, (BOTH,), platform)
    told, said = plan(told, HIT, Change.WORSENED, START + MINUTE, (BOTH,), platform)
    assert said == [Notice(START + MINUTE, "worsened", HIT.id, "pager")]
    assert not any(one.kind == "waiting" for one in told.turns)
    assert min(one.at for one in told.turns if one.kind == "reminder") == START + 31 * MINUTE
    assert plan(told, HIT, Change.WORSENED, START + 2 * MINUTE, (BOTH,), platform)[1] == []


def said_mine(told: Told, at: datetime) -> tuple[Told, list[Intent]]:
    """Somebody says so."""
    return plan(told, replace(HIT, acknowledged_at=at), Change.ACKNOWLEDGED, at, (BOTH,), PLATFORM)


def test_an_acknowledgement_stops_the_steps_that_say_so_until_it_expires() -> None:
    """After half an hour for what is urgent, unless confirmed; steps that do not say so are told all the same."""
    chain = Route((Step(("pager",)), Step(("boss",), 10 * MINUTE, True), Step(("chat",), 10 * MINUTE)))
    told, _ = plan(Told(), HIT, Change.OPENED, START, (chain,), PLATFORM)
    told, _ = said_mine(told, START + MINUTE)
    told, said = escalate(told, START + 10 * MINUTE)
    assert first_of(said) == [("escalated", "chat")]
    assert Withheld(START + 10 * MINUTE, "acknowledged", HIT.id) in said
    told, _ = said_mine(told, START + 20 * MINUTE)
    told, said = escalate(told, START + 31 * MINUTE)
    assert first_of(said) == []
    told, said = escalate(told, START + 50 * MINUTE)
    assert ("escalated", "boss") in first_of(said)


@pytest.mark.parametrize(
    ("priority", "repeat", "expected"),
    [
        (Priority.URGENT, None, 30 * MINUTE),
        (Priority.HIGH, None, 24 * HOUR),
        (Priority.NORMAL, None, None),
        (Priority.NORMAL, HOUR, HOUR),
    ],
)
def test_an_open_incident_is_told_again(
    priority: Priority, repeat: timedelta | None, expected: timedelta | None
) -> None:
    """As often as the route says, else as its priority does; once after a long sleep."""
    route, incident = replace(BOTH, steps=(Step(("pager",)),), repeat=repeat), replace(HIT, priority=priority)
    told, _ = plan(Told(), incident, Change.OPENED, START, (route,), PLATFORM)
    if expected is None:
        assert told.turns == ()
        return
    assert escalate(told, START + expected - MINUTE, incident)[1] == []
    told, said = escalate(told, START + 10 * expected, incident)
    assert first_of(said) == [("reminder", "pager")]
    assert first_of(escalate(told, START + 11 * expected, incident)[1]) == [("reminder", "pager")]


def test_nobody_is_reminded_of_what_somebody_has() -> None:
    """Reminders go on when that expires."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = escalate(told, START + 10 * MINUTE)
    told, _ = said_mine(told, START + 25 * MINUTE)
    told, said = escalate(told, START + 54 * MINUTE)
    assert said == []
    assert first_of(escalate(told, START + 55 * MINUTE)[1]) == [("reminder", "pager"), ("reminder", "chat")]


def test_a_cause_that_settles_is_told_once_to_whoever_heard() -> None:
    """One that is corrected within seconds to what was told before is not told at all."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    other = replace(HIT, cause=replace(HIT.cause, module="checkout"))
    told, said = plan(told, other, Change.CAUSE_CHANGED, START + MINUTE, (BOTH,), PLATFORM)
    told, said = plan(told, other, Change.CAUSE_CHANGED, START + MINUTE + timedelta(seconds=2), (BOTH,), PLATFORM)
    assert said == []
    at = START + MINUTE + timedelta(seconds=15)
    assert escalate(told, at, other)[1] == [Notice(at, "cause_changed", HIT.id, "pager", opens=False)]
    assert escalate(told, at, HIT)[1] == []
    told, _ = escalate(told, at, other)
    surer = replace(other, cause=replace(other.cause, confidence=1.0))
    told, _ = plan(told, surer, Change.CAUSE_CHANGED, at + MINUTE, (BOTH,), PLATFORM)
    assert first_of(escalate(told, at + 2 * MINUTE, surer)[1]) == [], "it was told already"
    for kind, news in (("host", True), ("host", False), ("zone", True)):
        shared = replace(HIT, cause=replace(HIT.cause, module=None, shared={"kind": kind}))
        told, _ = plan(told, shared, Change.CAUSE_CHANGED, at + HOUR, (BOTH,), PLATFORM)
        told, said = escalate(told, at + HOUR + MINUTE, shared)
        assert (("cause_changed", "pager") in first_of(said)) is news, "a thing in common is told by its kind"
    unsure = replace(HIT, cause=replace(HIT.cause, module=None))
    sure = replace(HIT, cause=replace(HIT.cause, module=unsure.root))
    told, _ = plan(Told(), unsure, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = plan(told, sure, Change.CAUSE_CHANGED, START, (BOTH,), PLATFORM)
    assert escalate(told, at, sure)[1] == []


def test_what_keeps_coming_back_does_not_flood() -> None:
    """From the first relapse on its end is told once it lasted ten minutes, and a relapse before that is not."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    now, messages = START, 1
    for count in range(1, 31):
        over = replace(HIT, reopened=count - 1, resolved_at=now + MINUTE)
        told, said = plan(told, over, Change.RESOLVED, now + MINUTE, (BOTH,), PLATFORM)
        messages += len(first_of(said))
        now += 2 * MINUTE
        again = replace(HIT, reopened=count)
        told, more = escalate(told, now, replace(over, reopened=count))
        messages += len(first_of(more))
        told, said = plan(told, again, Change.REOPENED, now, (BOTH,), PLATFORM)
        messages += len(first_of(said))
        told, more = escalate(told, now, again)
        messages += len(first_of(more))
    assert messages <= 2 * FLAPPING + 1 + 4  # relapses that are told, reminders and a step
    over = replace(HIT, reopened=30, resolved_at=now)
    told, said = plan(told, over, Change.RESOLVED, now, (BOTH,), PLATFORM)
    assert first_of(said) == []
    told, said = escalate(told, now + 10 * MINUTE, over)
    assert ("resolved", "pager") in first_of(said)
    assert told == Told()


def test_a_reminder_that_falls_due_while_it_seemed_over_comes_when_it_is_back() -> None:
    """Its end was not told yet, so for whoever heard of it it went on."""
    again = replace(HIT, reopened=1)
    told, _ = plan(Told(), again, Change.REOPENED, START, (BOTH,), PLATFORM)
    told, _ = escalate(told, START + 10 * MINUTE, again)
    over = replace(again, resolved_at=START + 28 * MINUTE)
    told, _ = plan(told, over, Change.RESOLVED, START + 28 * MINUTE, (BOTH,), PLATFORM)
    told, said = escalate(told, START + 31 * MINUTE, over)
    assert said == []
    told, _ = plan(told, replace(HIT, reopened=2), Change.REOPENED, START + 32 * MINUTE, (BOTH,), PLATFORM)
    told, said = escalate(told, START + 40 * MINUTE, replace(HIT, reopened=2))
    assert first_of(said) == [("reminder", "pager"), ("reminder", "chat")]


def test_nobody_is_told_that_a_reminder_waits() -> None:
    """Outside the hours of its route it comes when they open, and that is no news."""
    platform = replace(PLATFORM, calendars={"business": From(START + 2 * HOUR)})
    reminder = Turn(START + HOUR, "reminder", ("pager",), hours=("business",))
    told, said = turn(Told(channels=("pager",)), HIT, reminder, START + HOUR, (), platform)
    assert said == []
    assert [(one.kind, one.at) for one in told.turns] == [("reminder", START + 2 * HOUR)]


def test_what_an_earlier_version_stored_is_read() -> None:
    """Turns without hours, and nobody known to have it."""
    turn = ["2026-11-23T12:10:00.000Z", "escalated", ["boss"], True, None]
    told = told_from_json({"seq": 2, "channels": ["pager"], "begun": ["r"], "turns": [turn], "cause": "x"})
    assert told.turns == (Turn(START + 10 * MINUTE, "escalated", ("boss",), unless=True),)
    assert told.mine_at is None
    assert told_from_json(told_to_json(told)) == told
