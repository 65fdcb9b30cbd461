"""What may be plotted of a module, and what happened meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.announcement import work_title
from monitor.core.board import Board, Version
from monitor.core.effect import Refusal
from monitor.core.history import History
from monitor.core.maintenance import Maintenance, Window, announced, begun, ended
from monitor.core.plotted import Choice, choice, happenings
from monitor.core.probe import Role
from monitor.core.series import Grid
from tests.store.past import NOON, after, incident
from tests.stories.beats import module, platform

GRID = Grid(NOON, after(3600), timedelta(minutes=1))


def shop():  # type: ignore[no-untyped-def]
    """Checkout with a probe that decides at two places, evidence, one that is off, and a heartbeat."""
    one = module("checkout", places=("here", "there"))
    ask = one.probes[0]
    others = (
        replace(ask, id="deep", role=Role.EVIDENCE, interval=timedelta(minutes=5), locations=("here",)),
        replace(ask, id="keyed", off="VTEX_APP_KEY is not set"),
        replace(ask, id="calls", kind="heartbeat"),
    )
    return platform(replace(one, probes=(ask, *others)), replace(module("silent"), probes=()))


def chosen(*asked: str | None) -> Choice:
    found = choice(shop(), *asked)  # type: ignore[arg-type]
    assert isinstance(found, Choice), found
    return found


def test_without_a_choice_it_is_what_decides() -> None:
    """Not what is only looked at, nor what is off; calls take no time and cannot be chosen at all."""
    one = chosen("checkout", "1h")
    assert (one.asked, one.places, one.interval) == (("ask",), ("here", "there"), timedelta(seconds=30))
    assert one.probes == ("ask", "deep", "keyed")


def test_a_probe_has_its_own_places_and_pace() -> None:
    """Evidence and what is off can be looked at too: it has a past."""
    deep = chosen("checkout", "1h", "deep")
    assert (deep.asked, deep.places, deep.interval) == (("deep",), ("here",), timedelta(minutes=5))
    assert chosen("checkout", "1h", "keyed", "there").location == "there"


@pytest.mark.parametrize(
    ("asked", "kind", "reason"),
    [
        (("nope",), "unknown", "there is no module `nope`"),
        (("checkout", "1d"), "wrong", "`window` is one of 1h, 24h, 7d, 90d"),
        (("checkout", "1h", "calls"), "wrong", "`probe` is one of ask, deep, keyed"),
        (("checkout", "1h", "deep", "there"), "wrong", "`location` is one of here"),
        (("silent", "1h", "ask"), "wrong", "there is no probe to choose: nothing is timed here"),
    ],
)
def test_what_cannot_be_shown_has_a_reason(asked: tuple[str, ...], kind: str, reason: str) -> None:
    """That names what can."""
    assert choice(shop(), *asked) == Refusal(kind, reason)


def test_what_is_never_measured_has_an_empty_plot() -> None:
    """It is no mistake to ask."""
    assert (chosen("silent").asked, chosen("silent").places) == ((), ())


def test_what_happened_within_the_window() -> None:
    """An incident that reached into it or goes on; a version once, however many probes saw it; nothing from before."""
    mine = [
        incident("checkout", since, until)
        for since, until in [(after(-7200), after(-3600)), (after(-600), after(60)), (after(900), None)]
    ]
    told = [replace(one, members=(replace(one.members[0], until=one.resolved_at),)) for one in mine]
    told.append(incident("catalog", after(900)))
    versions = [Version("v2", after(100), "v1"), Version("v2", after(130), "v1"), Version("v3", after(200), "v2")]
    board = Board(platform(module("checkout"), module("catalog")))
    found = happenings("checkout", board, History(incidents=tuple(told)), versions, GRID)
    assert [(one.kind, one.since, one.until) for one in found] == [
        ("incident", after(-600), after(60)),
        ("version", after(100), None),
        ("version", after(200), None),
        ("incident", after(900), None),
    ]


def test_an_incident_ends_for_a_module_when_that_is_well_or_with_the_whole() -> None:
    """Whichever is known."""
    whole = incident("checkout", after(60), after(900))
    (member,) = whole.members
    for until, ends in ((after(300), after(300)), (None, after(900))):
        one = replace(whole, members=(replace(member, until=until),))
        (found,) = happenings("checkout", Board(platform(module("checkout"))), History(incidents=(one,)), (), GRID)
        assert (found.id, found.since, found.until) == (one.id, after(60), ends)


def test_planned_work_is_told_from_when_it_began() -> None:
    """By its title, as long as it took; not that of others, nor what has not begun."""

    def planned(id: str, since: float, *modules: str) -> Maintenance:
        window = Window(id, {"en": f"Work {id}"}, after(since), after(since + 900), modules=modules)
        return announced(window, window.begins, after(-86400))

    over = ended(begun(planned("over", 60, "checkout"), after(60)), after(600))
    going = begun(planned("all", 1200), after(1200))
    works = (over, going, planned("later", 1800, "checkout"), begun(planned("other", 60, "catalog"), after(60)))
    board = Board(platform(module("checkout"), module("catalog")))
    found = happenings("checkout", board, History(maintenances=works), (), GRID)
    assert [(one.kind, one.id, one.title, one.since, one.until) for one in found] == [
        ("maintenance", over.id, work_title(over), after(60), after(600)),
        ("maintenance", going.id, work_title(going), after(1200), None),
    ]
