"""Planned work and notices: held, never dropped. The whole table of how a window can lie to an outage."""

from itertools import product

import pytest

from monitor.core.effect import Happened
from monitor.core.intent import Notice, Withheld
from monitor.core.module import Priority
from monitor.core.route import Route, Step
from tests.stories.beats import Story, module, observation, seconds, story
from tests.stories.test_maintenance import MINUTE, at, window

BEGAN, OVER, END = 20, 40, 70  # minutes: the outage, and what is watched
ROUTE = Route((Step(("pager",)), Step(("boss",), 3 * MINUTE)), repeat=4 * MINUTE)
BEGINS = {"before": 10, "in": 25, "after": 45}
ENDS = {"before": 15, "in": 32, "after": 55}
TABLE = [
    pytest.param(begins, ends, worked_on, excuses, id=f"from {first} till {last}, {worked_on}, {excuses or 'all'}")
    for (first, begins), (last, ends), worked_on, excuses in product(
        BEGINS.items(), ENDS.items(), ("catalog", "search"), ((), ("slow",), ("http.503",))
    )
    if begins < ends
]


def told_of(
    begins: float, ends: float, worked_on: str, excuses: tuple[str, ...], restart: float | None = None
) -> Story:
    """The catalog fails from 20 to 40; work is announced from the beginning."""
    modules = (module("catalog", priority=Priority.URGENT), module("search"))
    told = story(*modules, routes=(ROUTE,))
    plan = window(begins, ends, worked_on, excuses=excuses)
    told.plan((plan, [plan.begins]))
    for beat in range(END * 4):
        minute = beat / 4
        told.now = at(minute)
        if minute == restart:
            told.restart()
            told.plan((plan, [plan.begins]))
        if beat % 2 == 0:
            told.feed(observation("catalog", told.now, "-" if BEGAN <= minute < OVER else "+"))
            told.feed(observation("search", told.now, "+"))
        told.tick()
    return told


def notices(told: Story) -> list[tuple[float, str, str]]:
    """After how many minutes, why and to whom; to nobody where it was withheld."""
    return [
        (seconds(each.at) / 60, one.why, one.channel if isinstance(one, Notice) else "")
        for each in told.effects
        if isinstance(each, Happened)
        for one in each.said
        if isinstance(one, Notice | Withheld)
    ]


@pytest.mark.parametrize(("begins", "ends", "worked_on", "excuses"), TABLE)
def test_work_holds_what_it_announced_and_drops_nothing(
    begins: float, ends: float, worked_on: str, excuses: tuple[str, ...]
) -> None:
    """What began and ended in the work is nothing; what outlasts it is told when it ends, dated when it began; what it
    did not announce is told as if there were none. Its end is told to whoever heard of it."""
    told = told_of(begins, ends, worked_on, excuses)
    announced = worked_on == "catalog" and excuses != ("slow",)
    excused = announced and begins <= BEGAN < ends
    said = [one for one in notices(told) if one[2]]
    if excused and ends >= OVER:
        assert (said, told.incidents) == ([], [])
        return
    (incident,) = told.incidents
    assert incident.started_at == at(BEGAN)
    first = ends if excused else BEGAN
    opened = {channel: minute for minute, why, channel in reversed(said) if why != "resolved"}
    assert first <= opened["pager"] <= first + 2
    quiet = [one for one in said if announced and begins <= one[0] < ends]
    assert {why for _, why, _ in quiet} <= {"resolved"}, "nothing but the end is told inside of it"
    ended = [channel for _, why, channel in said if why == "resolved"]
    assert sorted(ended) == sorted(opened)
    assert opened.keys() == {"pager", "boss"}
    assert len([why for _, why, channel in said if channel == "pager" and why not in ("resolved", "reminder")]) == 1


@pytest.mark.parametrize("restart", [22.0, 26.0, 30.0, 33.0])
@pytest.mark.parametrize(("begins", "ends"), [(10, 32), (25, 32)])
def test_a_restart_changes_nothing_of_it(begins: float, ends: float, restart: float) -> None:
    """Before, in and after the window: the same is said at the same time."""
    one, other = (told_of(begins, ends, "catalog", (), again) for again in (None, restart))
    assert [each[1:] for each in notices(one)] == [each[1:] for each in notices(other)]
    assert all(abs(a[0] - b[0]) <= 1 for a, b in zip(notices(one), notices(other), strict=True))
