"""Reports: a month by hand, promises in the hours of a plan, and what the public copy leaves out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.config.routes import WorkingHours
from monitor.core.availability import Availability, Subject
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.hours import worked
from monitor.core.incident import Act, Incident, Stage, Update
from monitor.core.module import Module, Platform, Status
from monitor.core.period import before, named, so_far
from monitor.core.plan import Plan
from monitor.core.report import Report, Times, report
from monitor.core.service import services
from tests.store.past import incident

ZONE = ZoneInfo("America/Sao_Paulo")
NOVEMBER = named("2026-11", ZONE)
LATER = NOVEMBER.until + timedelta(days=3)
MINUTE = timedelta(minutes=1)


def day(number: int, hour: float = 0) -> datetime:
    """A moment of November in São Paulo."""
    return NOVEMBER.since + timedelta(days=number - 1, hours=hour)


def outage(module: str, since: datetime, minutes: float, detect: float = 1, answer: float | None = None) -> Incident:
    """An incident of so many minutes."""
    end = since + minutes * MINUTE
    one = incident(module, since, end)
    members = tuple(replace(member, until=end) for member in one.members)
    detected = since + detect * MINUTE
    acts = () if answer is None else (Act(detected + answer * MINUTE, "acknowledged", "Ana"),)
    return replace(
        one, detected_at=detected, published_at=detected, members=members, acts=acts, updates=(), stage=Stage.RESOLVED
    )


def told(*incidents: Incident, now: datetime = LATER, plans: tuple[Plan, ...] = (), public: bool = False) -> Report:
    """The report of November, of one module that was down while each incident lasted."""
    moves = [Transition("cart", Status.UNKNOWN, Status.UP, day(1), NOVEMBER.since - timedelta(days=40))]
    for one in sorted(incidents, key=lambda one: one.started_at):
        assert one.resolved_at is not None
        moves.append(Transition("cart", Status.UP, Status.DOWN, one.started_at, one.started_at))
        moves.append(Transition("cart", Status.DOWN, Status.UP, one.resolved_at, one.resolved_at))
    shop = Platform({"cart": Module("cart", {"en": "Cart"}, objective=0.999)})
    earlier = before(NOVEMBER, ZONE)
    past = Availability(shop, History({"cart": tuple(moves)}, tuple(incidents)), (), earlier.since)
    return report(past, NOVEMBER, *so_far(NOVEMBER, earlier, now), ZONE, plans, public)


def test_a_november_worked_out_by_hand() -> None:
    """720 hours, four outages of 5, 12, 30 and 90 min, one of them half in October."""
    found = told(
        outage("cart", day(1) - 45 * MINUTE, 90, detect=2),
        outage("cart", day(3), 5, detect=1, answer=4),
        outage("cart", day(10), 12, detect=3, answer=6),
        outage("cart", day(20), 30, detect=2),
    )
    row = found.row(Subject("module", "cart"))
    assert row.uptime.down_seconds == (45 + 5 + 12 + 30) * 60
    assert row.uptime.ratio == pytest.approx(1 - 92 / 43200)
    assert row.before.ratio == pytest.approx(1 - 45 / 44640)
    assert (row.interrupted.count, row.interrupted.seconds) == (3, 87 * 60)
    assert row.budget is not None
    assert row.budget.allowed_seconds == pytest.approx(43.2 * 60)
    assert row.budget.kept is False
    assert [one.incident.started_at for one in found.began] == [day(3), day(10), day(20)]
    assert [one.incident.started_at for one in found.carried] == [day(1) - 45 * MINUTE]
    detect, answer, recover = found.times
    assert detect == Times(3, 120.0, 120, 180)
    assert answer == Times(2, 300.0, 300.0, 360)
    assert recover == Times(3, (5 + 12 + 30) * 20.0, 720, 1800)
    assert [(one.module, len(one.incidents), one.seconds) for one in found.offenders] == [("cart", 3, 47 * 60)]
    assert sum(one.down_seconds for one in found.days["cart"]) == row.uptime.down_seconds
    assert len(found.days["cart"]) == 30


def test_an_incident_belongs_to_the_period_it_began_in() -> None:
    """From its first moment; the next one carries it while it lasts, and not one that ends as the period begins."""
    first, over = outage("cart", day(1), 30), outage("cart", day(1) - 45 * MINUTE, 45)
    lasting, next_one = outage("cart", day(1) - 60 * MINUTE, 61), outage("cart", NOVEMBER.until, 5)
    found = told(first, over, lasting, next_one)
    assert [one.incident for one in found.began] == [first]
    assert [one.incident for one in found.carried] == [lasting]


def test_days_that_are_alike_are_kept_once() -> None:
    """However many modules there are: of each, two years of reports hold more than a thousand days."""
    well = Transition("", Status.UNKNOWN, Status.UP, day(1), NOVEMBER.since - timedelta(days=40))
    moves = {f"m{number}": (replace(well, module=f"m{number}"),) for number in range(50)}
    moves["m0"] += (Transition("m0", Status.UP, Status.DOWN, day(7), day(7)),)
    shop = Platform({id: Module(id, {"en": id}) for id in moves})
    earlier = before(NOVEMBER, ZONE)
    past = Availability(shop, History(moves), (), earlier.since)
    found = report(past, NOVEMBER, *so_far(NOVEMBER, earlier, LATER), ZONE).days
    assert sum(map(len, found.values())) == 50 * 30
    assert len({id(one) for days in found.values() for one in days}) == 30 + 24


def test_a_period_that_is_not_over_says_so_and_is_compared_as_far_as_it_has_come() -> None:
    """Ten days of November against ten days of October; what comes later is not in it."""
    found = told(outage("cart", day(5), 30), outage("cart", day(20), 30), now=day(11))
    assert not found.is_over
    assert (found.period.until, found.before.until) == (day(11), found.before.since + timedelta(days=10))
    assert len(found.began) == 1
    assert found.row(Subject("module", "cart")).uptime.known_seconds == 10 * 86400
    assert told().is_over


def test_what_is_too_little_known_before_is_not_compared() -> None:
    """A monitor that began last week has no better month before."""
    row = told().row(Subject("module", "cart"))
    assert row.change == 0
    assert replace(row, before=replace(row.before, coverage=0.4)).change is None


def test_the_public_copy_has_no_drafts_and_nothing_of_people() -> None:
    """Neither when somebody answered, nor what plans promise."""
    draft = replace(outage("cart", day(4), 20), published_at=None)
    plan = Plan("gold", {"en": "Gold"}, objective=0.999, response={"urgent": timedelta(hours=1)})
    incidents = (outage("cart", day(3), 20, answer=5), draft)
    ours, public = (told(*incidents, plans=(plan,), public=one) for one in (False, True))
    assert (len(ours.began), len(public.began)) == (2, 1)
    assert public.times[1] == Times(0)
    assert (public.services, public.plans) == ((), ())
    assert (len(ours.services), len(ours.plans)) == (1, 1)


def test_priorities_that_were_lowered_are_told() -> None:
    """Those of the period, the oldest first, with what was said."""
    entry = Update(day(3, 1), Stage.MONITORING, "lowered", {"from": "urgent", "to": "low"}, "person", {"en": "x"})
    one = outage("cart", day(3), 20)
    found = told(replace(one, updates=(*one.updates, entry, replace(entry, at=day(40))))).lowered
    assert [(incident.id, each) for incident, each in found] == [(one.id, entry)]


def test_merged_and_regional_incidents_are_no_incidents_of_the_platform() -> None:
    """One is told as part of another, the other is trouble of a place of ours."""
    merged = replace(outage("cart", day(4), 20), merged_into="abc")
    regional = replace(outage("cart", day(6), 20), cause=replace(merged.cause, scope="location", module=None))
    assert told(merged, regional).began == ()


OFFICE = WorkingHours("office", ZONE, frozenset(("mon", "tue", "wed", "thu", "fri")), 9 * 60, 18 * 60, frozenset())


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        (day(3, 10), day(3, 10.5), 30),
        (day(3, 17.5), day(4, 9.5), 60),  # Tuesday evening to Wednesday morning
        (day(6, 17), day(9, 10), 120),  # over a weekend
        (day(7, 10), day(8, 10), 0),
        (day(3, 10), day(3, 9), 0),
    ],
)
def test_clocks_stop_outside_the_hours_of_a_plan(since: datetime, until: datetime, minutes: int) -> None:
    """To the minute."""
    assert worked(OFFICE, since, until) == minutes * MINUTE


def test_promises_are_kept_broken_or_not_told_yet() -> None:
    """By the first word of a person; an end without one within the limit is fine."""
    limits = {"response": {"urgent": 30 * MINUTE}, "update": {"urgent": 15 * MINUTE}}
    plan = Plan("gold", {"en": "Gold"}, clock=OFFICE, **limits)
    overnight = outage("cart", day(3, 17.75), 20 * 60, detect=0, answer=16 * 60)  # 9:45 next day: 60 min of the office
    quick = outage("cart", day(5, 10), 60, detect=0, answer=10)
    short = outage("cart", day(5, 12), 10, detect=0)
    open_still = replace(outage("cart", day(9, 10), 60, detect=0), resolved_at=None)
    found = services([plan], [overnight, quick, short, open_still], day(9, 10.25))
    response, update = found
    assert (response.kind, response.asked, response.kept, response.broken) == ("response", 4, 2, 1)
    assert response.worst_seconds == 3600
    assert (update.kind, update.kept, update.broken) == ("update", 1, 2)
    spoken = replace(
        quick, updates=tuple(Update(day(5, 10) + n * 12 * MINUTE, Stage.IDENTIFIED, "x") for n in range(6))
    )
    assert [one.broken for one in services([plan], [spoken], LATER)] == [0, 0]


def test_a_report_is_the_same_whoever_asks_when() -> None:
    """Later facts about later times change nothing of a period that is over."""
    incidents = [outage("cart", day(3), 20), outage("cart", datetime(2026, 12, 2, 12, tzinfo=UTC), 20)]
    assert told(*incidents) == told(*incidents, now=LATER + timedelta(days=200))
    assert told(*incidents).rows == told(incidents[0]).rows
